### O que lê quem cuida de uma estação: histórico, diagnóstico, firewall, pacote de suporte, agendamento. Códigos, nomes das verificações, comandos, nomes de arquivos e builds nunca são traduzidos.

## `updater history`

history-nothing-yet = nada aconteceu aqui ainda
history-none-such = nada disso aconteceu aqui
history-approved = aprovado por { $approver }
build-none = nada
result-applied = instalada
result-failed = falhou
result-rolled-back = desfeita
result-deferred = adiada
result-downloaded = baixada
result-declined = recusada
result-recovered = recuperada
result-checked = verificada

## `updater doctor`

# Do mesmo comprimento, quando possível: ficam em uma coluna.
verdict-good = bom
verdict-warning = atenção
verdict-bad = falha
doctor-unseen = não foi examinado
doctor-unseen-cure = veja `state`
doctor-failed = não é possível saber: { $why }
doctor-failed-cure = faça o que a mensagem diz e execute `updater doctor` de novo
doctor-state-good = o que se sabe desta pasta pode ser lido
doctor-state-bad = o que se sabe desta pasta não pode ser lido: { $why }
doctor-state-cure = faça o que a mensagem diz; `updater install` com o link de instalação refaz o estado, e o cliente permanece
doctor-state-refuses = nada de novo é aceito: { $why }
doctor-explain-cure = `updater explain { $code }` diz o que fazer
doctor-rights-good = todos os arquivos do cliente podem ser substituídos
doctor-rights-agent = o agente substitui os arquivos do cliente; quem o chama não precisa de direitos
doctor-rights-bad = { $count ->
    [one] { $count } arquivo não pode ser substituído: { $first }
   *[other] { $count } arquivos não podem ser substituídos, o primeiro: { $first }
}
doctor-rights-cure = execute o updater com a conta dona da pasta, ou peça ao root que o instale com `--profile service`
doctor-space-good = { $free } bytes estão livres
doctor-space-short = { $free } bytes estão livres, o cliente ocupa { $client }
doctor-space-bad-cure = libere espaço neste disco: uma atualização precisa dos arquivos novos e de uma cópia de segurança
doctor-space-soon-cure = libere espaço antes de uma versão que substitua tudo
doctor-space-files = arquivos que este disco ainda aceita: { $files }
doctor-space-files-cure = apague arquivos de que ninguém precisa: uma atualização cria novos
doctor-backups-good = a próxima cópia de segurança tem lugar
doctor-backups-bad = a próxima cópia de segurança não tem lugar: { $why }
doctor-clock-good = { $now }, igual à do servidor
doctor-clock-alone = { $now }; nenhum servidor informou outra hora
doctor-clock-behind = o relógio marca { $now }, e o fornecedor assinou em { $signed }, que é mais tarde
doctor-clock-cure = acerte o relógio
doctor-clock-differs = o relógio marca { $now }, e o servidor { $server }
doctor-clock-differs-cure = acerte o relógio, aqui ou lá
doctor-proxy-none = nenhum é usado
doctor-proxy-used = { $proxy } é usado
doctor-server-good = responde
doctor-server-unsafe = não foi consultado, porque a conexão não é segura
doctor-server-bad = não responde como deveria: { $why }
doctor-server-cure = verifique a rede, o proxy e o servidor; `updater print-firewall` diz o que precisa ser alcançável
doctor-tls-good = não há nada de errado com a conexão
doctor-tls-bad = a conexão não é segura: { $why }
doctor-tls-cure = se a autoridade é da sua empresa, indique o arquivo dela com `--ca-file`; senão, há alguém no meio
doctor-tls-none = nenhuma conexão foi estabelecida
doctor-see-server = veja `server`
doctor-trust-none = ainda não se confia em nada
doctor-trust-none-cure = execute `updater check`
doctor-trust-good = o primeiro a vencer é `{ $role }`, em { $expires }
doctor-trust-soon = `{ $role }` vence em { $expires }
doctor-trust-expired = `{ $role }` venceu em { $expires }
doctor-trust-cure = execute `updater check`; se não resolver, o fornecedor precisa assinar de novo (`manifests refresh`)
doctor-schedule-good = `{ $name }` verifica sozinho
doctor-schedule-none = nada verifica sozinho
doctor-schedule-none-cure = execute `updater schedule install`
doctor-schedule-unknown = o sistema não conhece `{ $name }`
doctor-schedule-unknown-cure = execute `updater schedule install` de novo
doctor-schedule-unsaid = o sistema não diz se conhece `{ $name }`
doctor-schedule-unsaid-cure = execute `updater doctor` com a conta que criou o agendamento
doctor-others-none = ninguém mais altera os arquivos
doctor-drift = { $count ->
    [one] { $count } arquivo não está como foi instalado
   *[other] { $count } arquivos não estão como foram instalados
}
doctor-drift-cure = `updater verify` mostra quais, `updater update` os repõe
doctor-agent-none = no perfil `user` nenhum é necessário
doctor-agent-good = responde
doctor-agent-silent = não responde
doctor-agent-silent-cure = inicie-o (docs/service.md): até lá, quem não tem direitos não pode atualizar

## Outro atualizador na pasta

second-updater-files = outro programa continua alterando esta pasta: { $files } estavam trocados, { $rounds ->
    [one] uma vez
   *[other] { $rounds } vezes
} em uma semana, a última percebida em { $time }
second-updater-backups = outro programa continua alterando esta pasta: { $backups } foi feito por outro programa (percebido em { $time })
second-updater-both = outro programa continua alterando esta pasta: { $files } estavam trocados, { $rounds ->
    [one] uma vez
   *[other] { $rounds } vezes
} em uma semana, e { $backups } foi feito por outro programa, percebido em { $time }
second-updater-programs = programas da pasta em execução naquele momento: { $programs }
second-updater-cure = dois atualizadores na mesma pasta desfazem o trabalho um do outro, portanto desligue o outro; a atualização do próprio SmartClient termina com `Enable=0` em `[UPDATE]` no AppServer.ini do servidor dele
second-updater-held = o que ele altera não é reposto antes de { $until } (`updater update --retry` repõe)

## `updater print-firewall`

firewall-repository = as versões do cliente
firewall-self-update = as versões do próprio updater
firewall-proxy = o proxy
firewall-redirect = para onde um redirecionamento pode levar
firewall-unresolved = endereço desconhecido

## `updater support-bundle`

bundle-written =
    { $file } contém { $parts }
    Os segredos foram removidos; examine o arquivo antes de enviá-lo.
    A seguir: preencha how-to-reproduce.txt e envie os dois
# What people fill in: S2-25, and the half of S2-28 that no machine knows.
bundle-form =
    O que acontece, e o que deveria acontecer?


    Como fazer acontecer de novo? Um passo por linha, a partir do início do cliente ou do updater.
    1.
    2.
    3.

    Desde quando? O que foi alterado antes disso?


    Em quais estações acontece, e em quais não?


    O que você já tentou, e qual foi o resultado? (O que o updater tentou está em history.jsonl.)

## `updater schedule`

schedule-is = a cada { $every }, por { $kind } ({ $scope }): `{ $name }`
schedule-next = a próxima verificação está prevista para { $next }
schedule-done = A seguir: `updater schedule status`
schedule-left = nada foi registrado: coloque os arquivos onde o sistema os procura
schedule-failed =
    não está registrado: `{ $command }` falhou ({ $why })
    A seguir: execute isso onde for possível, ou escolha outro `--kind`
schedule-none = não há agendamento
schedule-none-next = A seguir: `updater schedule install`
schedule-removed = `{ $name }` foi removido; a verificação acontece quando alguém pede
schedule-registered = registrado
schedule-unregistered = não registrado: `updater schedule install` registra de novo
schedule-registered-unknown = aqui não é possível saber se está registrado
schedule-last = a última verificação agendada começou em { $last }
schedule-not-due = este período já teve sua verificação; a próxima está prevista para { $next }
schedule-not-again = a última verificação não foi concluída; não há nova tentativa antes de { $next }
trigger-off = `{ $trigger }` não inicia nada aqui: `updater settings triggers` diz o que inicia
