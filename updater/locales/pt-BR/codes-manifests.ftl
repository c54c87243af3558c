### Códigos do `manifests`: como um comando terminou e as regras que valem para uma pasta antes de ser publicada.

## Como termina um comando de quem publica
## docs/operating.md#publish

code-failed = Um arquivo não pôde ser lido ou gravado
    .why = O disco, ou os direitos da conta, não permitiram. Nada do que as estações veem mudou.
    .cure = Veja o arquivo indicado, corrija a causa e execute o comando de novo.
code-unfit = A pasta ou o zip não está em condições de ser publicado
    .why = Há regras violadas; cada achado é listado com o próprio código.
    .cure = Corrija o que foi listado; cada achado diz como.
code-refused = A versão ou alteração foi recusada
    .why = Ela não pode ser a próxima: uma build que volta atrás, um documento longo demais, um pedido para outro repositório ou assinaturas de menos.
    .cure = A mensagem diz o que está errado e o que fazer.
code-locked = Outro comando está alterando o repositório
    .why = Só pode haver um de cada vez.
    .cure = Espere ele terminar, ou deixe este esperar com `--wait SECONDS`.
code-key = Uma chave privada falta, está exposta ou bloqueada
    .why = A chave não está onde foi procurada, outros podem lê-la, ou não se conhece a senha dela.
    .cure = Indique a pasta das chaves com `--keys DIR`, tire os direitos dos outros ou informe a senha.
code-damaged = O repositório está danificado
    .why = O que ele contém não confere; o arquivo é indicado.
    .cure = Execute `manifests verify` e recupere o arquivo de um backup.
code-no-repository = Não há repositório, ou outra coisa está no lugar dele
    .why = A pasta passada em `--repo` não foi criada por `manifests init`.
    .cure = Confira o caminho, ou crie um repositório com `manifests init`.
code-changed = A pasta mudou enquanto era publicada
    .why = Alguém ou algum programa está gravando nela.
    .cure = Espere a build ficar pronta, ou publique uma cópia dela.

## Nomes de arquivos e pastas
## docs/format.md#1-common-rules

code-path-too-long = Um caminho é longo ou profundo demais
    .why = Alguns sistemas não conseguiriam guardá-lo.
    .cure = Encurte o nome dele ou as pastas acima.
code-path-escapes = Um caminho sai da pasta
    .why = Ele tem partes vazias, `.` ou `..`, ou é absoluto; a estação gravaria em outro lugar.
    .cure = Use um caminho relativo à pasta, sem `..`.
code-path-character = Um nome tem um caractere que nem todo sistema aceita
    .why = Alguns sistemas não conseguem guardá-lo, ou ele esconde o nome verdadeiro.
    .cure = Renomeie o arquivo sem esse caractere.
code-path-trimmed = Um nome termina com ponto ou espaço, ou começa com espaço
    .why = O Windows mudaria esse nome.
    .cure = Renomeie-o.
code-device-name = Um nome é de dispositivo no Windows
    .why = O Windows entende nomes como `con` e `nul.txt` como dispositivos.
    .cure = Renomeie-o.
code-short-name = Um nome parece um nome curto do Windows
    .why = O Windows pode confundir um nome como `progra~1` com outro arquivo.
    .cure = Renomeie-o.
code-not-unicode = Um nome não é Unicode
    .why = Ele foi escrito em uma codificação antiga, e outros sistemas mostrariam outro nome.
    .cure = Renomeie-o em UTF-8.
code-case-collision = Dois nomes são um só em alguns sistemas
    .why = Eles diferem apenas em maiúsculas ou no modo de escrever os acentos.
    .cure = Renomeie ou remova um dos dois.
code-upper-case = Um nome tem letras maiúsculas
    .why = O repositório foi configurado para aceitar só minúsculas.
    .cure = Renomeie em minúsculas, ou publique com `--names fold`.
code-repeated-name = O arquivo compactado tem um nome repetido
    .why = Ninguém sabe qual dos dois vale.
    .cure = Gere o arquivo compactado de novo, com cada nome uma só vez.

## O que não pertence a uma versão
## docs/operating.md#publish

code-client-backup = A pasta contém backups de um cliente
    .why = Há nela algo com nome de `bkp_remote.001` a `.003`: um cliente é executado desta pasta.
    .cure = Publique uma cópia limpa da build.
code-updater-state = A pasta contém o estado de um updater
    .why = Há nela `.updater`: este é um cliente instalado.
    .cure = Publique uma cópia limpa da build.
code-live-client = A pasta parece ser a de um cliente em uso
    .why = Há nela logs, travas ou arquivos temporários, que iriam para todas as estações.
    .cure = Publique uma cópia limpa da build. Se eles pertencem à build, `--allow live-client`.
code-server-folder = A pasta parece ser a do próprio servidor de aplicação
    .why = Há nela o programa ou a configuração do servidor, que iriam para todas as estações.
    .cure = Mantenha a build do cliente em uma pasta própria. Se for essa a intenção, `--allow server-folder`.
code-truncated-program = Um programa da pasta está incompleto
    .why = Seus cabeçalhos indicam mais do que o arquivo contém, ou ele está vazio, ou há zeros onde deveria estar o conteúdo: uma cópia que foi interrompida ou que ainda está em andamento.
    .cure = Copie-o de novo, até o fim. Se for essa a intenção, `--allow truncated-program`.
code-own-repository = O repositório e a pasta estão um dentro do outro
    .why = A versão conteria o repositório em que é publicada.
    .cure = Mantenha a build em uma pasta própria.
code-own-keys = As chaves e a pasta estão uma dentro da outra
    .why = Publicar entregaria as chaves a todos.
    .cure = Guarde as chaves em outro lugar.
code-private-key = Há uma chave privada na pasta
    .why = Publicar a entregaria a todos.
    .cure = Remova-a. Uma chave que outros podem ter lido precisa ser trocada.
code-junk-file = Há na pasta um arquivo que só interessa ao gerenciador de arquivos
    .why = `.DS_Store`, `Thumbs.db` e semelhantes são deixados por ele.
    .cure = Remova-o antes de publicar.

## Links e arquivos que não podem ser publicados
## docs/format.md#6-release-manifest

code-link-not-allowed = Há um link onde o sistema não os tem
    .why = As estações desse sistema não conseguiriam criá-lo.
    .cure = Troque o link por aquilo a que ele leva.
code-link-escapes = Um link sai da pasta
    .why = Na estação ele levaria a arquivos alheios.
    .cure = Faça dele um link relativo dentro da pasta.
code-special-file = Há um socket, pipe ou dispositivo
    .why = Ele não tem conteúdo que se possa publicar.
    .cure = Remova-o.
code-unreadable = Um arquivo não pode ser lido
    .why = A conta que publica não tem esse direito.
    .cure = Dê a ela o direito de leitura do arquivo.

## O que uma versão precisa ter
## docs/operating.md#publish

code-empty-folder = Não há nenhum arquivo na pasta
    .why = Ela está vazia, ou só contém pastas vazias.
    .cure = Indique a pasta com a build descompactada.
code-too-many-entries = Há arquivos demais
    .why = Uma versão só pode ter um certo número deles.
    .cure = Publique menos em uma versão.
code-entry-point-missing = O ponto de entrada não está na pasta
    .why = O arquivo indicado em `--entry-point` não existe.
    .cure = Informe em `--entry-point` um caminho dentro da pasta.
code-entry-point-mode = O ponto de entrada não é executável
    .why = As estações não conseguiriam iniciá-lo.
    .cure = Execute `chmod +x` nele.
code-probe-missing = Não existe o arquivo que deve mostrar que a build funciona
    .why = O arquivo indicado em `--probe` não existe.
    .cure = Informe `--probe file:PATH` com um caminho dentro da pasta.
code-no-app-bundle = Não há pacote `.app` na pasta
    .why = Uma build para macOS é uma pasta que contém o pacote.
    .cure = Indique a pasta que o contém. Se for essa a intenção, `--allow no-app-bundle`.
code-only-archives = Só há arquivos compactados na pasta
    .why = As estações recebem os arquivos como são, descompactados.
    .cure = Descompacte-os antes, ou publique o próprio zip. Se for essa a intenção, `--allow only-archives`.
code-unsafe-archive = O arquivo compactado não pode ser lido com segurança
    .why = As partes dele se contradizem; dois programas poderiam extrair coisas diferentes.
    .cure = Descompacte-o com uma ferramenta em que você confia e publique a pasta.
code-other-server = O cliente não é compatível com o servidor do canal
    .why = Pela regra de compatibilidade do canal, esta build não funciona com a build do servidor que o canal informa (`--server-build`); por enquanto nenhuma estação a instala.
    .cure = Publique uma build compatível; ou, quando o servidor for atualizado, publique de novo com `--server-build` e a build dele.
code-config-file = Há um arquivo de configuração na versão
    .why = Os usuários podem ter alterado o deles; o que acontece então está na política do arquivo, que é indicada.
    .cure = Nada, se for essa a intenção; para mudar, use `--config`.
code-time-clamped = Um arquivo tem uma data que nenhum sistema de arquivos guarda
    .why = Ela está fora do que as estações conseguem guardar.
    .cure = Nada: as estações verão a data mais próxima possível.
