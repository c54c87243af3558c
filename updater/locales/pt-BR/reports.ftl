### O que os comandos relatam. Códigos, comandos, nomes de arquivos e builds nunca são traduzidos; o que começa com um código ou vem depois de dois-pontos no fim pode ser técnico, e fica em inglês.

## Em toda parte

report-warning = aviso: { $text }
report-kept = seu próprio `{ $path }` foi mantido
report-next-update = A seguir: `updater update`
build-unknown = uma build desconhecida

## `updater check`

check-nothing-installed = nada está instalado
check-installed = { $product } { $build } está instalado
check-offer = { $at }; { $build } está disponível
check-renumbered = { $at }, publicado de novo com o número { $number }
check-up-to-date = { $at }, e não há nada mais novo para esta estação
check-nothing-released = { $at }, e nenhuma versão é para esta estação
check-passed-over = versão { $number } ({ $build }): { $why }
check-unknown-build = build desconhecida
check-drift = { $count ->
    [one] { $count } arquivo não está como foi instalado
   *[other] { $count } arquivos não estão como foram instalados
} (`updater verify` mostra quais)

## `updater update` e o que mais traz uma versão

update-deadline-over = o prazo terminou ({ $at }): o próximo início ou a próxima verificação agendada a instala sem perguntar
update-deadline = a partir do prazo ({ $at }): o próximo início ou a próxima verificação agendada a instala sem perguntar
update-nothing = { $at } está atualizado; nada foi alterado
update-plan = { $from } → { $to }: { $bytes } bytes a receber, { $files ->
    [one] { $files } arquivo
   *[other] { $files } arquivos
} a gravar
update-plan-set = , { $files } com data a corrigir
update-plan-removed = , { $files } a remover
update-plan-backup = , com cópia de segurança
update-plan-kept = mantém seu próprio `{ $path }`
update-plan-merged = acrescenta o que é novo ao seu próprio `{ $path }`
update-planned = Nada foi alterado. A seguir: `updater update`
update-not-agreed = Nada foi alterado. A seguir: `updater update --yes`
update-two-acts = Nada foi alterado. A seguir: `updater download` baixa, `updater apply` instala
update-ignored = Nada foi alterado, e ela não é mais oferecida; qualquer uma mais nova é. `updater ignore --undo` desfaz isso
update-needs-admin = Nada foi alterado: quem responde por esta pasta precisa concordar
update-downloaded =
    { $build } foi baixada, { $bytes } bytes recebidos; { $at } está como antes
    A seguir: `updater apply` instala
update-deferred = { $build } está pronta e espera: o cliente está em uso, e nada dele foi alterado
update-unseen = um arquivo está preso por um programa que não pode ser visto
update-deferred-next = A seguir: feche o cliente; então `updater update` a instala, ou espera com `--in-use wait`
update-returned =
    { $build } não funcionou: { $why }
    de volta a { $at }; { $build } não é mais aceita até vir uma versão mais nova
    A seguir: avise o fornecedor; `updater history` tem tudo
update-done-updated = atualizado para { $at }: { $files ->
    [one] { $files } arquivo gravado
   *[other] { $files } arquivos gravados
}, { $bytes } bytes recebidos
update-done-installed = instalado { $at }: { $files ->
    [one] { $files } arquivo gravado
   *[other] { $files } arquivos gravados
}, { $bytes } bytes recebidos
update-done-repaired = reparado { $at }: { $files ->
    [one] { $files } arquivo gravado
   *[other] { $files } arquivos gravados
}, { $bytes } bytes recebidos
update-done-backup = ; o que havia antes está em { $backup }
update-merged = seu próprio `{ $path }` tem o que é novo
update-next-rollback = A seguir: inicie o cliente; `updater rollback` volta atrás
update-next-status = A seguir: inicie o cliente; `updater status` diz o que há aqui
apply-nothing =
    nada está pronto para ser instalado; nada foi alterado
    A seguir: `updater download` baixa o que é oferecido
install-set = definido { $key } = { $value }

## `updater ignore`, `updater verify`, `updater uninstall`

ignore-done = { $build } (versão { $number }) é ignorada: não é mais oferecida, e qualquer uma mais nova é
ignore-next = A seguir: `updater ignore --undo` volta a oferecê-la
ignore-undone =
    o que era ignorado volta a ser oferecido
    A seguir: `updater check`
ignore-none = nada disso era ignorado
ignore-nothing =
    nada é oferecido aqui que possa ser ignorado
    A seguir: `updater check` pergunta o que há de novo
verify-whole = { $files ->
    [one] o arquivo está como { $at } o tem
   *[other] todos os { $files } arquivos estão como { $at } os tem
}
verify-differ =
    { $count } de { $files } { $files ->
        [one] arquivo
       *[other] arquivos
    } { $count ->
        [one] difere
       *[other] diferem
    }
    A seguir: `updater verify --repair`
uninstall-done = os arquivos do próprio updater foram removidos; o cliente fica como está
uninstall-backups = { $count ->
    [one] { $count } cópia de segurança fica: remova a pasta bkp_remote.* quando não precisar mais dela
   *[other] { $count } cópias de segurança ficam: remova as pastas bkp_remote.* quando não precisar mais delas
}
uninstall-strange = `{ $name }` fica: não se sabe se é do updater

## `updater rollback` e `updater backups`

rollback-free = de volta a { $build }; nada fica retido
rollback-held = de volta a { $build }; { $left } fica retida e não é oferecida até você dizer
rollback-held-unknown = de volta a { $build }; não se sabe o que foi deixado: nada até { $place } é oferecido até você dizer
rollback-unverified = aviso: a cópia de segurança foi feita por outro programa; ninguém pode dizer se estava inteira
rollback-altered = aviso: `{ $path }` voltou como estava, que não é como a versão o tem
rollback-next = A seguir: inicie o cliente
rollback-next-unhold = A seguir: inicie o cliente; `updater unhold` volta a oferecer o que está retido
unhold-done =
    o que estava retido volta a ser oferecido
    A seguir: `updater update`
unhold-nothing = nada estava retido
backups-none = ainda não há cópias de segurança: a primeira atualização faz uma
backups-next = A seguir: `updater rollback` volta à mais nova, `updater rollback --to NNN` a outra
backups-recognised = { $build } pelos arquivos
backups-own = { $build }, feita em { $made }
backups-adopted = feita por outro programa, adotada em { $made }; não verificada
backups-adopted-build = { $build }, feita por outro programa, adotada em { $made }; não verificada
backups-exposed = pode ser alterada por outros, por isso não é aceita: dê a ela { $rights }
backups-foreign = feita por outro programa; `updater backups --adopt` a inclui no rodízio
backups-damaged = danificada ({ $why }); `updater backups --adopt` a mantém como não verificada
backups-not-a-folder = não é uma pasta: mova-a, ou nenhuma atualização pode ser feita

## `updater status` e `updater settings`

status-installed = { $product } { $build } (versão { $place }), seguindo { $channel }
status-nothing = nada está instalado ainda, seguindo { $channel }
status-lost = { $channel } está instalado, mas { $why }
status-from = de { $address } (`{ $name }`), { $known }
status-known = conhecido em { $time }
status-never = nunca verificado
status-counts = cópias de segurança: { $backups }; arquivos que não estão como instalados: { $drift }
status-not-known = não se sabe
status-held = a versão { $place } está retida: uma volta a deixou (`updater unhold` volta a oferecê-la)
status-profile = perfil: { $profile }, estado em { $state }; { $promise }
status-promise-user = protege contra a rede e o servidor, não contra quem pode gravar nesta pasta
status-promise-service = protege contra a rede, o servidor e as pessoas neste computador, que não podem alterar esta pasta
status-unproved = ainda não mostrou que funciona: `updater launch` observa um início
status-attempts = a versão { $place } não pôde ser instalada { $count ->
    [one] uma vez
   *[other] { $count } vezes seguidas
} (`{ $code }`)
status-online = confiança: as chaves de { $roles } ficam na máquina que serve; quem a possui pode assinar
status-not-current = o que se sabe não é atual: { $why }
status-trusted = confiável, para comparar com outras estações:
status-next-check = A seguir: `updater check` pergunta o que há de novo
settings-not-set = (não definido)
settings-default = padrão
settings-role = papel

## `updater self …`, `updater create-shortcut`

self-follows =
    este updater segue { $channel } de `{ $name }`
    A seguir: `updater self update`
self-automatic-on = antes de cada `check` e `update` o updater procura uma versão mais nova de si mesmo
self-automatic-off = o updater procura uma versão mais nova de si mesmo quando alguém pede: `updater self update`
self-stays = o updater permanece; nada foi alterado
self-stays-build = o updater { $build } permanece; nada foi alterado
self-from-before = o de antes
self-became =
    o updater agora é { $build }
    A seguir: `updater self status`
self-is = updater { $build }, seguindo { $channel }
self-is-by-hand = updater { $build } (colocado aqui à mão), seguindo { $channel }
self-from = de { $address } (`{ $name }`)
self-kept = guardado em { $folder }: { $backups ->
    [one] { $backups } cópia de segurança
   *[other] { $backups } cópias de segurança
}
self-when-asked = ele procura uma versão mais nova de si mesmo só quando alguém pede
self-under-way = uma troca do updater está em andamento ou foi interrompida ({ $id }); a próxima execução a conclui
self-failed = a versão { $place } falhou aqui e não é tentada de novo
self-held = a versão { $place } está retida: uma volta a deixou (`updater unhold --dir { $folder }`)
self-next = A seguir: `updater self check`
shortcut-made =
    `{ $file }` inicia o cliente pelo updater
    A seguir: remova os atalhos que iniciam o próprio cliente
