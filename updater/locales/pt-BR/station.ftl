### O que as pessoas veem em uma estação. Códigos, comandos, nomes de arquivos e builds nunca são traduzidos.

## Uma atualização que não pôde ser feita (S3-23, S3-24)

# S3-23: texto fixo, palavra por palavra.
failure-fixed = Não foi possível atualizar automaticamente o Remote
failure-to-do = O que fazer: { $cure }
failure-in-history = O administrador do sistema encontra esta tentativa em `updater history`.
failure-waits = O administrador do sistema encontra esta tentativa em `updater history`; um aviso dela fica guardado para o servidor.
failure-not-recorded = Não há registro disto à vista aqui: avise o administrador do sistema.

## Builds que não combinam (S3-10)

# Texto conhecido pelos usuários, palavra por palavra.
incompatible-question = Smart Client e Application Server estão incompatíveis em versão. Deseja atualizar a versão do Smart Client?
incompatible-builds = Smart Client: { $client }, Application Server: { $server }
incompatible-disabled = O Smart Client { $client } não é compatível com o Application Server { $server }, e as atualizações estão desabilitadas aqui: peça ao administrador do sistema o Smart Client correspondente.
incompatible-declined = O Smart Client não foi iniciado: ele não é compatível com o Application Server. Nada foi alterado.
needs-both = Isto exige Smart Client { $client } ou mais recente e Application Server { $server } ou mais recente: ambos devem estar atualizados.
client-newer = O Smart Client { $client } é mais recente que o Application Server { $server }; isso é permitido.
builds-incomparable = Não é possível comparar as builds { $client } (Smart Client) e { $server } (Application Server): consulte o administrador do sistema.

## Novidades

update-available = { $product } { $build } está disponível
update-up-to-date = { $product } { $build } está atualizado
update-done = { $product } foi atualizado para { $build }
update-installed = { $build } está instalada
update-ready = { $build } está pronta e será instalada quando o cliente for fechado
update-required = Esta atualização não pode ser dispensada.
needs-subscription = As atualizações exigem uma assinatura ativa. O que está instalado continua funcionando.
no-link = Não há conexão com o servidor de atualizações. O que está instalado continua funcionando.

## Perguntas e botões

consent-question = Há uma nova versão. Deseja atualizar?
consent-yes = Atualizar
consent-no = Cancelar
consent-ignore = Ignorar esta versão
# Before what a terminal asks.
consent-time = Sem resposta em { $seconds } s, tudo fica como está.
# How a terminal asks, and the words that mean yes there; `y` and `yes` do everywhere.
consent-keys = [s/N]
consent-words = s sim
consent-ignore-keys = (i: ignorar esta versão)
consent-ignore-words = i ignorar
consent-later = Mais tarde
action-update = Atualizar
action-check = Verificar atualizações

## Prazos

deadline-warning = { $minutes ->
    [one] A atualização será instalada em { $minutes } minuto. Não haverá pergunta; um programa em uso é aguardado.
   *[other] A atualização será instalada em { $minutes } minutos. Não haverá pergunta; um programa em uso é aguardado.
}
deadline-now = A atualização está sendo instalada agora.

## Etapas

step-check = verificando atualizações
step-scan = comparando arquivos
step-fetch = baixando
step-stage = preparando arquivos
step-back-up = fazendo a cópia de segurança
step-swap = instalando
step-prove = testando a nova versão
step-recover = concluindo uma atualização anterior
starting-client = iniciando o cliente

## `updater explain`

explain-more = Relacionados: { $codes }. Página: { $page }
explain-one = `updater explain CODE` mostra a causa de um código e o que fazer.
explain-unknown = `{ $code }` não é um código destes programas.
explain-all = `updater explain` lista todos os códigos.
