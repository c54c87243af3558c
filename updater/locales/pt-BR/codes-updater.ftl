### Códigos do `updater`. Um código nunca muda de significado.

## O que uma verificação ou atualização informa
## docs/stations.md

code-update-available = Há uma versão mais recente
    .why = O fabricante publicou para esta estação uma build que ainda não está instalada.
    .cure = Execute `updater update`. Com `updater update --dry-run` você vê antes o que ele faria.
code-up-to-date = Não há nada mais recente para esta estação
    .why = Já está instalada a versão mais recente destinada a esta estação.
    .cure = Não há nada a fazer.
code-renumbered = Os arquivos instalados foram publicados de novo com um número maior
    .why = O fabricante publicou exatamente os mesmos arquivos outra vez; só muda o registro da estação.
    .cure = Execute `updater update` quando quiser; nenhum arquivo do cliente é alterado.
code-nothing-released = Não há nenhuma versão para esta estação
    .why = O canal não tem versão para este sistema, ou todas são descartadas por um motivo que `updater status --explain` mostra.
    .cure = Execute `updater status --explain`. Se nada aparecer, pergunte ao fabricante se o produto foi publicado para este sistema, variante e canal.
code-nothing-to-do = Está tudo como deve ser
    .why = A versão instalada é a mais recente para esta estação e todos os arquivos estão como foram instalados.
    .cure = Não há nada a fazer.
code-planned = Isto é só o que uma atualização faria
    .why = O comando foi uma simulação; nada foi alterado.
    .cure = Execute `updater update` para fazer de verdade.
code-needs-consent = Uma nova versão espera que alguém concorde
    .why = Não havia ninguém para responder, e nenhuma atualização é instalada sem consentimento.
    .cure = Execute `updater update` em um terminal e responda, ou `updater update --yes`.
code-declined = Alguém recusou a atualização
    .why = A pergunta sobre atualizar foi respondida com não. Nada foi alterado.
    .cure = Execute `updater update` de novo quando for um bom momento.
code-required = A versão não pode ser ignorada
    .why = O que está instalado não combina com o servidor, está abaixo de um piso de segurança ou tem uma falha de segurança; ou o prazo para adiar a versão terminou, ou ainda não há nada instalado.
    .cure = Instale-a com `updater update`; até lá ela continua a ser oferecida.
code-two-acts = Aqui uma versão é baixada e instalada em dois passos
    .why = A estação está configurada com `consent = "manual"`: nada chega sozinho, e nada faz os dois passos de uma vez. Nada foi alterado.
    .cure = Execute `updater download` e, quando for um bom momento, `updater apply`.
code-downloaded = Uma nova versão foi baixada e espera ser instalada
    .why = Tudo dela está aqui e foi verificado. O cliente instalado está como estava.
    .cure = Execute `updater apply`.
code-nothing-waits = Nada espera ser instalado
    .why = Nenhuma versão foi baixada, ou a que foi não é mais oferecida a esta estação.
    .cure = Execute `updater download` para baixar o que é oferecido.

## Cliente e servidor
## docs/stations.md#the-two-moments-of-a-start

code-incompatible = O cliente não é compatível com o servidor de aplicação
    .why = As builds do cliente e do servidor não combinam segundo o que o fornecedor assinou, e ninguém concordou em substituir o cliente. Ele não foi iniciado, e nada foi alterado.
    .cure = Aceite a atualização no próximo início, ou peça a quem cuida deste computador que execute `updater update --yes`. Se nenhuma versão combina com o servidor, só quem cuida do servidor pode ajudar. `updater settings server_build` diz qual é o servidor, se o canal não disser.
code-needs-both-minimums = Cliente e servidor de aplicação precisam ambos de uma build mais recente
    .why = A versão exige uma build mínima dos dois lados, e um deles está abaixo dela.
    .cure = Atualize o servidor de aplicação e o cliente, primeiro o servidor.
code-cannot-be-compared = Ninguém sabe dizer se cliente e servidor de aplicação combinam
    .why = As builds estão em duas notações, e nada do que foi assinado diz se combinam. Isso não é adivinhado.
    .cure = Corrija `updater settings server_build`, ou peça ao fornecedor que diga com quais servidores o cliente funciona.

## Por que uma versão é descartada
## docs/architecture.md#from-the-server-to-a-running-client

code-held = A versão está retida nesta estação
    .why = Alguém voltou atrás com `updater rollback`, por isso ela não é oferecida de novo.
    .cure = `updater unhold` volta a oferecê-la; qualquer versão mais recente é oferecida por si só.
code-blocked = A versão já não funcionou nesta estação
    .why = Ela foi instalada aqui, não iniciou ou encerrou logo em seguida, e foi retirada.
    .cure = Avise o fabricante e espere a próxima versão. Depois de corrigir a causa aqui, `updater update --retry` tenta de novo.
code-quarantined = A versão não pôde ser aplicada várias vezes seguidas
    .why = A aplicação falhou três vezes; por isso ela é deixada de lado e não gasta mais rede nem disco.
    .cure = Veja o motivo em `updater history`, corrija-o e execute `updater update --retry`.
code-ignored = Alguém dispensou a versão aqui
    .why = Alguém nesta estação escolheu ignorar esta versão, por isso ela não é mais oferecida.
    .cure = `updater ignore --undo` volta a oferecê-la; qualquer versão mais recente é oferecida por si só.
code-withdrawn = O fabricante retirou a versão
    .why = O fabricante a recolheu e disse por quê.
    .cure = Não há nada a fazer: é oferecida a versão mais recente que não foi retirada.
code-downgrade = A versão tem uma build mais antiga que a instalada
    .why = Uma build mais antiga só é aceita quando o fabricante marca a versão como caminho de volta.
    .cure = Se você quer voltar, use `updater rollback`. O fabricante que quer isso publica com `--allow-downgrade`.
code-incomparable = Não é possível comparar as builds
    .why = A versão nomeia a build em outra notação que a instalada; ninguém sabe dizer qual é a mais recente.
    .cure = Peça ao fabricante que mantenha uma só notação, ou que publique a mudança com `--allow-downgrade`.
code-replayed = A origem oferece menos do que antes
    .why = Esta estação já aceitou um número maior; está sendo servido um estado antigo do repositório.
    .cure = Confira se o servidor é o certo e se o repositório dele não foi restaurado de um backup. A saída para o operador está na página sobre operação.
code-needs = A versão exige algo mais recente neste computador
    .why = Ela pede um updater, plataforma ou servidor mais recente que o que existe aqui.
    .cure = Atualize a parte indicada: o próprio updater com `updater self update`; plataforma e servidor com o administrador deles.
code-held-by-site = A empresa reteve o canal
    .why = Os administradores daqui suspenderam novas versões por enquanto.
    .cure = Pergunte a eles quando continuam; na estação não há nada a fazer.
code-not-released-by-site = A empresa ainda não liberou a versão para as estações
    .why = Os administradores daqui liberam as builds eles mesmos e ainda não chegaram a esta.
    .cure = Pergunte a eles; na estação não há nada a fazer.
code-pinned-by-site = A empresa quer as estações em outra versão
    .why = Os administradores daqui escolheram uma versão para todas as estações.
    .cure = Pergunte a eles; na estação não há nada a fazer.
code-not-understood = A versão usa algo que este updater não conhece
    .why = Ela foi publicada com ferramentas mais novas do que este updater entende.
    .cure = Atualize o próprio updater com `updater self update` e depois execute `updater update`.

## Limites de segurança e volta a uma versão anterior
## docs/stations.md#going-back

code-installed-withdrawn = A versão instalada foi retirada
    .why = O fabricante a recolheu depois que ela foi instalada aqui.
    .cure = Execute `updater update`. Se ainda não houver nada mais recente, pergunte ao fabricante se convém voltar com `updater rollback`.
code-below-floor = A versão instalada está abaixo de um limite de segurança
    .why = O fabricante fechou uma falha de segurança em uma versão posterior.
    .cure = Execute `updater update` o quanto antes.
code-pin-below-floor = A versão escolhida pela empresa está abaixo de um limite de segurança
    .why = A empresa escolheu uma versão que o fabricante considera insegura; as estações vão assim mesmo para a segura.
    .cure = Os administradores devem escolher uma versão que não esteja abaixo do limite.
code-offered-for-floor = A versão é oferecida contra a vontade da empresa
    .why = Sem ela, esta estação ficaria abaixo de um limite de segurança, e nenhuma configuração da empresa a mantém ali.
    .cure = Execute `updater update`; os administradores devem liberá-la para as estações.
code-needs-reason = Voltar a esta build exige um motivo
    .why = A build do backup foi retirada ou está abaixo de um limite de segurança.
    .cure = Escolha outro backup (`updater backups`) ou diga o motivo: `updater rollback --to NNN --reason WHY`.
code-needs-admin = Só um administrador pode voltar a esta build
    .why = A build do backup foi retirada ou está abaixo de um limite de segurança.
    .cure = Peça ao dono da pasta ou a um administrador que execute `updater rollback --to NNN --reason WHY`.

## A conexão
## docs/security.md#transport-and-server

code-unreachable = Não é possível alcançar o servidor de atualizações
    .why = Não há rede, o servidor está parado ou há um firewall ou proxy no caminho. Nada foi alterado e o que chegou foi guardado.
    .cure = Confira a rede e o endereço e tente de novo; o download continua de onde parou.
code-too-slow = A conexão está lenta demais
    .why = Quase nada chegou durante muito tempo, ou faltava mais do que uma inicialização do cliente espera. O download foi interrompido; o que chegou foi guardado.
    .cure = Tente mais tarde ou com uma conexão melhor; o download continua de onde parou.
code-not-there = O servidor não tem um arquivo que deveria ter
    .why = O repositório no servidor não está completo, ou o endereço leva a outro lugar.
    .cure = Tente de novo em alguns minutos. Se persistir, peça ao responsável pelo servidor que execute `manifests verify`.
code-web-page = Veio uma página da web em vez da atualização
    .why = Uma página de login da rede (hotel, rede de visitantes, filtro) está entre este computador e o servidor.
    .cure = Faça login na rede com um navegador, ou use outra rede, e tente de novo.
code-redirected = O servidor desviou o download, e o desvio não foi seguido
    .why = Só se seguem desvios dentro do mesmo site, para que ninguém engane uma estação.
    .cure = Peça ao responsável pelo servidor que sirva os arquivos no endereço que as estações conhecem.
code-unsafe-connection = A conexão com o servidor não é segura
    .why = O certificado do servidor está errado, vencido ou assinado por uma autoridade em que este computador não confia; muitas vezes um filtro no caminho abre as conexões.
    .cure = Confira data e hora deste computador. Se a sua empresa tem autoridade própria, informe-a com `--ca-file FILE`.
code-incomplete-copy = A cópia trazida até aqui não está completa
    .why = Um arquivo da cópia é menor do que deveria: a cópia foi interrompida ou ainda está em andamento.
    .cure = Copie o repositório de novo, espere terminar e tente outra vez.

## O que é confiável, e a hora
## docs/security.md#metadata-and-trust

code-untrusted = O que a origem entregou não é confiável
    .why = Uma assinatura, um tamanho ou um digest não é o que o fabricante assinou. Nada foi usado e nada foi alterado.
    .cure = Tente de novo; se persistir, avise o fabricante e o responsável pelo servidor ou espelho. Não instale o cliente de lá à mão.
code-expired = Os dados da versão estão vencidos
    .why = O servidor está há muito tempo sem nova assinatura, ou o relógio deste computador está adiantado.
    .cure = Confira data e hora deste computador. Se estiverem certas, peça ao responsável pelo servidor que execute `manifests refresh`. Se não for possível acertar o relógio, `--clock TIME` (UTC) informa a hora.
code-bad-manifest = A lista de arquivos da versão não é a assinada
    .why = A lista entregue pela origem está danificada ou foi alterada. Aqui nada foi alterado.
    .cure = Tente de novo; se persistir, avise o fabricante.
code-corrupt-object = Um arquivo baixado está danificado
    .why = O que chegou não é o que o fabricante assinou, mesmo depois de baixado outra vez.
    .cure = Tente por outra conexão; se persistir, peça ao responsável pelo servidor que execute `manifests verify`.
code-epoch-rollback = A origem oferece uma época que já terminou
    .why = O fabricante iniciou uma nova época depois de uma emergência, e a origem ainda serve a antiga.
    .cure = Confira se o servidor é o certo; o responsável pelo espelho precisa atualizá-lo.
code-more-roots = O fabricante trocou chaves muitas vezes, e nem todas as trocas foram seguidas ainda
    .why = Esta estação perdeu mais trocas de chaves do que uma verificação consegue seguir.
    .cure = Execute o comando de novo; ele continua de onde parou.
code-bad-link = O link de instalação não pode ser usado
    .why = O link está incompleto ou com erro de digitação; sem o que vem depois do `#` ninguém saberia em quem confiar.
    .cure = Peça o link de novo e copie-o inteiro, entre aspas.
code-long-sleep = Esta estação seguiu muitas trocas de chaves de uma vez
    .why = Ela ficou muito tempo desligada, e nesse período o fabricante trocou chaves.
    .cure = Não há nada a fazer.
code-stale-copy = A cópia trazida até aqui está vencida
    .why = Ela é mais antiga do que o fabricante permite pela rede, e ainda é aceita por algum tempo porque foi transportada.
    .cure = Traga uma cópia mais nova antes da data indicada.
code-clock-behind = O relógio deste computador está atrasado
    .why = O fabricante assinou algo em um momento a que este relógio ainda não chegou.
    .cure = Acerte a data e a hora deste computador.
code-clock-given = A hora foi informada à mão
    .why = O comando foi executado com `--clock`, e a validade foi julgada por essa hora.
    .cure = Acerte a data e a hora deste computador e deixe de usar `--clock`.

## O que a pasta e o disco precisam ter
## docs/security.md#the-folder-and-the-swap

code-no-write-right = O updater não tem direito de gravação na pasta do cliente
    .why = A pasta, ou um único arquivo nela, é somente leitura, imutável ou pertence a outra pessoa. Nada foi alterado.
    .cure = Dê à conta que executa o updater o direito de gravação na pasta e em todos os arquivos, ou execute-o como o dono.
code-no-space = Falta espaço no disco
    .why = O download, os novos arquivos e a cópia de segurança não cabem ao lado do cliente. Nada foi alterado.
    .cure = Apague deste disco o que ninguém usa e tente de novo; quando se sabe quantos bytes são necessários, a mensagem o diz.
code-file-in-use = O cliente está em uso
    .why = Um programa do cliente está aberto, ou alguém segura um dos arquivos. Nunca se encerra nada à força, por isso nada foi alterado.
    .cure = Feche o cliente e tente de novo, ou deixe o updater esperar com `--in-use wait`.
code-link-in-tree = Há um link simbólico no caminho
    .why = Uma pasta do cliente foi trocada por um link, e o updater não passa por nenhum, pois ele poderia levar a qualquer lugar.
    .cure = Troque o link por uma pasta de verdade e tente de novo.
code-storage-error = O disco não funciona como deveria
    .why = O sistema recusou a leitura ou a gravação de um arquivo; a causa pode ser um cabo, uma unidade de rede, um disco com defeito ou um programa de filtro.
    .cure = Veja o arquivo indicado e o log do sistema, verifique o disco e tente de novo.
code-in-the-way = Há algo no caminho
    .why = No lugar de uma pasta ou de um arquivo está outra coisa, que o updater não colocou ali.
    .cure = Mova dali o que foi indicado e tente de novo.
code-file-changing = Um arquivo mudou enquanto a atualização era preparada
    .why = Alguém ou algum programa grava na pasta do cliente ao mesmo tempo; um antivírus ou um segundo atualizador, por exemplo.
    .cure = Tente de novo. Se acontecer outra vez, descubra quem grava ali.
code-other-volume = Parte da pasta está em outro disco
    .why = A pasta do cliente, ou uma pasta dentro dela, é um ponto de montagem; não se movem arquivos entre discos em um só passo.
    .cure = Mantenha o cliente inteiro em um disco; no perfil `service`, indique uma pasta do mesmo disco com `--state DIR`.
code-no-folder = A pasta não pode ser aberta
    .why = A pasta não existe, ou esta conta não pode entrar nela.
    .cure = Confira o caminho depois de `--dir` e os direitos da conta.

## O cliente em uso, e se ele funciona
## docs/stations.md#does-the-new-build-live

code-deferred = A atualização está pronta e espera o cliente ser fechado
    .why = Um programa do cliente está aberto. Os novos arquivos estão preparados; nada do cliente em uso foi alterado.
    .cure = Feche o cliente; o próximo `updater update` ou `updater launch` aplica a atualização sem baixar nada de novo.
code-returned = A nova build não funcionou, e a anterior está de volta
    .why = A nova build não passou no teste do fabricante ou caiu logo depois de iniciar.
    .cure = Continue o trabalho com a build anterior e avise o fabricante. `updater history` mostra o que a nova build disse.
code-not-alive = A build instalada não funciona, e não há como voltar
    .why = Ela não passou no teste, e não há backup completo de outra build, ou o caminho de volta está impedido.
    .cure = Veja o motivo na mensagem. Publique ou instale uma build que inicie; avise o fabricante.
code-no-entry-point = Ninguém sabe qual arquivo inicia o cliente
    .why = A versão foi publicada sem ponto de entrada.
    .cure = Peça ao fabricante que publique com `--entry-point PATH`.
code-not-all-here = Nem tudo da versão está neste computador
    .why = O início do cliente não baixa nada, e falta algo da versão que está à espera.
    .cure = Execute `updater update`.

## O estado de uma instalação
## docs/crash-safety.md#how-it-works

code-not-installed = Não há nenhuma instalação do updater nesta pasta
    .why = Nada foi instalado aqui, ou foi removido com `updater uninstall`.
    .cure = Instale com `updater install LINK --dir DIR`, ou indique a pasta certa com `--dir`.
code-follows-other = Esta pasta já pertence a outro produto
    .why = Uma pasta contém um só produto.
    .cure = Instale em outra pasta, ou antes execute aqui `updater uninstall`; ele deixa o cliente no lugar.
code-busy = Outro updater está trabalhando nesta pasta
    .why = Só pode haver um de cada vez; a mensagem diz qual processo é e de quem.
    .cure = Espere ele terminar, ou deixe este esperar com `--wait SECONDS`. Depois de uma queda não é preciso remover nada.
code-second-updater = Outro programa continua alterando esta pasta
    .why = Arquivos que o updater tinha colocado voltaram a ser outros, ou apareceu um backup que ele não fez. Depois de três reparos em um dia ele deixa de reparar, pois dois atualizadores na mesma pasta desfazem um o trabalho do outro.
    .cure = Desligue o outro. No caso de um SmartClient, defina `Enable=0` em `[UPDATE]` no AppServer.ini do servidor. Depois execute `updater update --retry`.
code-interrupted = Uma atualização anterior foi interrompida e desfeita
    .why = Faltou energia ou o updater foi encerrado no meio, e a atualização não pôde ser concluída.
    .cure = Nada está quebrado: execute `updater update` de novo.
code-damaged-state = Os registros do próprio updater estão danificados
    .why = Um arquivo em `.updater` não pode ser lido; a causa pode ser um disco com defeito ou a mão de alguém.
    .cure = Execute de novo `updater install` com o link de instalação; os arquivos do cliente ficam. Verifique o disco.
code-bad-settings = As configurações da estação não podem ser usadas
    .why = Uma linha de `.updater/settings.toml` não é das que o updater conhece. Até que isso seja corrigido nada de novo é instalado; um cliente compatível abre como está.
    .cure = Corrija a linha que a mensagem mostra, ou retire uma chave com `updater settings --unset KEY`. Sem o arquivo vale o que vale sem configurações.
code-broken-swap = Uma atualização foi interrompida e não pode ser concluída sozinha
    .why = Arquivos preparados sumiram, ou não podem ser movidos em nenhum sentido. Até que isso seja corrigido, o cliente só inicia se cada arquivo ainda estiver como foi instalado.
    .cure = Siga o que diz a mensagem. Se ela não indicar um caminho, mova dali `.updater/journal` e execute `updater verify --repair`.
code-swap-failed = Os novos arquivos não puderam ser colocados no lugar
    .why = O sistema recusou no meio da troca; tudo o que tinha sido movido foi movido de volta.
    .cure = Veja o arquivo na mensagem, corrija a causa e tente de novo.
code-newer-state = Um updater mais novo gravou os registros desta pasta
    .why = Este updater é mais antigo que o que trabalhou aqui antes, e não mexe no que não sabe ler.
    .cure = Use o updater mais novo, ou atualize este com `updater self update`.
code-no-manifest = A lista de arquivos da versão instalada não existe mais em lugar nenhum
    .why = Ela não está neste computador nem no repositório.
    .cure = Execute `updater update`: ele leva a pasta à versão mais recente.

## Cópias de segurança
## docs/stations.md#going-back

code-backup-missing = Não há backup para o qual voltar
    .why = Ainda não houve atualização aqui, ou os backups foram removidos.
    .cure = `updater backups` lista o que existe. Para ter um cliente limpo, execute `updater verify --repair`.
code-backup-damaged = O backup está danificado
    .why = Faltam arquivos nele, ou não estão como foram guardados.
    .cure = Escolha outro com `updater backups` e `updater rollback --to NNN`, ou aceite-o como está com `updater backups --adopt`.
code-backup-foreign = Uma pasta com nome de backup não é do updater
    .why = Uma pasta com nome de `bkp_remote.001` a `.003` foi feita por outro, e nunca é apagada.
    .cure = Inclua-a no rodízio com `updater backups --adopt`, ou mova-a dali.
code-rollback-failed = A volta falhou
    .why = O backup não pôde ser trazido de volta; o cliente está como estava.
    .cure = Veja o motivo na mensagem, corrija-o e execute `updater rollback` de novo.

## Estações em que as pessoas não têm direitos
## docs/service.md

code-others-can-write = Outros podem gravar onde só o root deveria
    .why = O perfil `service` promete que mais ninguém altera o cliente, e alguém poderia.
    .cure = Passe para o root (no Windows: para os administradores) as pastas indicadas e tire de todos os demais o direito de gravação.
code-forged-registry = O registro das instalações não é confiável
    .why = Outros podem gravar nele, e ele poderia indicar qualquer pasta.
    .cure = Deixe a pasta do registro só para o root e veja o que há nela antes de continuar.
code-other-profile = A pasta tem outro perfil, ou o estado dela está em outro lugar
    .why = O perfil e o lugar do estado são escolhidos na primeira instalação e não mudam depois.
    .cure = Deixe de usar `--profile` e `--state`, ou execute `updater uninstall` e instale de novo.
code-agent-not-running = O agente não responde
    .why = Só o root altera esta pasta, e o agente do root não está rodando.
    .cure = Peça a um administrador que o inicie: `systemctl start stationmaster-updater`.
code-agent-not-ours = Quem responde não é o agente desta pasta
    .why = Outro programa escuta onde o agente deveria estar. Nada lhe foi pedido.
    .cure = Avise um administrador imediatamente.
code-agent-lost = O agente parou de responder no meio do trabalho
    .why = Ele foi parado ou reiniciado, ou é de outra versão. O que ele fazia é concluído ou desfeito quando reiniciar.
    .cure = Consulte `updater status` daqui a um minuto. Se as respostas não puderem ser lidas, atualize os dois programas.
code-agent-busy = O agente tem trabalho demais
    .why = Chegaram pedidos demais ao mesmo tempo.
    .cure = Tente de novo em um minuto.
code-bad-request = O agente não entende o pedido
    .why = O programa que pediu é de outra versão que o agente.
    .cure = Atualize os dois.
code-not-allowed = Você não tem permissão para isto aqui
    .why = Os administradores reservam este comando ao root ou a um grupo.
    .cure = Peça a um administrador que o faça, ou que autorize o seu grupo em `agent.toml`.
code-no-socket = O agente não consegue escutar
    .why = O socket não pôde ser criado no lugar dele.
    .cure = Veja o caminho na mensagem: a pasta dele precisa existir e pertencer ao root.

## O próprio updater
## docs/operating.md#updating-the-updater

code-no-updater = O link não é do updater
    .why = Ele leva a um cliente ou a outra coisa, e isso não é posto no lugar do updater.
    .cure = Peça o link de instalação do próprio updater.
code-updater-failed = O novo updater não funciona, e o antigo permanece
    .why = Ele não iniciou, não soube ler os registros daqui ou caiu antes de confirmar que funciona. Não será tentado de novo.
    .cure = Continue com o antigo; avise o fabricante do updater.
code-self-update-failed = O updater não conseguiu atualizar a si mesmo
    .why = O sistema não diz onde está o programa, ou o novo não pôde ser posto ali.
    .cure = Veja o motivo na mensagem; se necessário, instale o updater à mão.

## O próprio comando
## docs/stations.md#languages-and-codes

code-usage = A linha de comando está errada
    .why = Uma opção ou um argumento falta, é desconhecido ou tem a forma errada.
    .cure = `updater help` e `updater COMMAND --help` mostram como é.
code-bad-argument = Algo que foi passado ao comando não pode ser usado
    .why = Um arquivo não pode ser lido, uma hora ou configuração não é válida, ou não serve para este sistema.
    .cure = Corrija o que a mensagem indica.
code-internal = O updater falhou de um modo que não deveria
    .why = É um defeito do updater, ou o sistema recusou algo muito básico.
    .cure = Tente de novo. Se persistir, relate-o com o que `STATIONMASTER_LOG=debug` mostra.
