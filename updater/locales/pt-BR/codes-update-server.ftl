### Códigos do `update-server`: `code` nos seus documentos de problema e os avisos de `/readyz`.

## O que se responde a um pedido
## docs/security.md#transport-and-server

code-no-such-page = Nada é servido neste endereço
    .why = O servidor não conhece este caminho; repositórios ficam em `/repo/`, documentos de instalação em `/i/`.
    .cure = Confira o endereço. As estações o obtêm do link de instalação: peça o link de novo.
code-no-such-file = Esse arquivo não é servido
    .why = O repositório, ou o arquivo nele, não existe neste servidor, ou o nome não pode ser servido.
    .cure = Confira o nome do repositório. Se falta um arquivo a uma estação, o repositório está incompleto: execute `manifests verify`.
code-no-such-install-code = Não há documento de instalação com este código
    .why = O link de instalação tem erro de digitação, ou o documento foi removido.
    .cure = Gere um novo link com `update-server link`, ou peça um.
code-method-not-allowed = O endereço existe, mas não para este método
    .why = O pedido usou outro método HTTP; o campo `Allow` indica os permitidos.
    .cure = Use um deles.
code-range-not-satisfiable = O intervalo começa depois do fim do arquivo
    .why = Alguém pediu bytes que o arquivo não tem; muitas vezes um pedaço de outra versão dele.
    .cure = Peça o arquivo de novo; o campo `Content-Range` informa o tamanho.
code-precondition-failed = O arquivo não é da versão pedida
    .why = Ele mudou depois que `If-Match` foi obtido.
    .cure = Peça-o de novo.
code-request-body-too-large = O corpo do pedido é longo demais
    .why = Ele passa de `limits.max_body_bytes`.
    .cure = Nada do que as estações pedem tem corpo; a publicação tem um limite próprio.
code-content-damaged = O arquivo guardado está danificado e não é servido
    .why = O conteúdo não é o que o nome diz; a causa pode ser um disco com defeito ou uma alteração manual.
    .cure = Execute `manifests verify` no repositório, verifique o disco e recupere o arquivo de um backup ou publicando de novo.
code-storage-failed = O armazenamento por trás do servidor não respondeu
    .why = O disco ou a unidade de rede com os repositórios recusou ou demorou demais.
    .cure = Veja o log do servidor e o armazenamento; os clientes tentam de novo sozinhos.

## Publicação pela rede
## docs/operating.md#from-ci

code-token-refused = O token de publicação falta ou está errado
    .why = Publicar exige `Authorization: Bearer TOKEN` com um token deste repositório; não se diz se o repositório existe.
    .cure = Confira o token e o nome do repositório.
code-too-many-wrong-tokens = Vieram tokens errados demais deste endereço
    .why = Alguém, ou uma tarefa com um token antigo, insiste.
    .cure = Espere o tempo indicado em `Retry-After` e tente com o token certo.
code-submission-too-long = O envio é maior do que o servidor aceita
    .why = Ele passa de `limits.max_publish_bytes`.
    .cure = Publique menos de cada vez ou aumente o limite.
code-submission-too-slow = O envio chegou devagar demais
    .why = Foi mais lento que `limits.min_publish_bytes_per_second`.
    .cure = Envie por uma conexão melhor ou diminua o limite.
code-submission-cut = O envio não chegou inteiro
    .why = A conexão caiu no meio. Nada foi publicado.
    .cure = Envie de novo.
code-submission-unfit = O envio não pode ser publicado
    .why = Ele não é o que deveria ser, ou não está assinado como deve; o detalhe diz o que está errado.
    .cure = Corrija e gere o envio de novo.
code-base-not-current = Outra pessoa publicou nesse meio-tempo
    .why = O envio foi feito para versões que já não são as atuais. Nada foi publicado.
    .cure = Gere-o de novo a partir do estado atual e envie.
code-repository-busy = Outro envio ou comando está alterando o repositório
    .why = Só pode haver um de cada vez.
    .cure = Envie de novo em um minuto.
code-publish-failed = O servidor não conseguiu fazer a sua parte da publicação
    .why = Um arquivo não pôde ser gravado, ou uma chave não pôde ser usada. Nada foi publicado.
    .cure = O log do servidor diz por quê; corrija e envie de novo.

## O que as estações relatam
## docs/operating.md#what-stations-report

code-report-too-long = O relatório é maior do que o servidor aceita
    .why = O relatório de uma estação tem no máximo 100 tentativas e meio mebibyte.
    .cure = Os updaters respeitam isso sozinhos; qualquer outro programa deve enviar relatórios em partes.
code-report-cut = O relatório não chegou inteiro
    .why = A conexão caiu no meio ou foi lenta demais. Nada foi registrado.
    .cure = A estação o envia de novo na próxima verificação; se continuar, veja a rede entre os dois.
code-report-unfit = O que chegou não é o relatório de uma estação
    .why = Está malformado, é para outro repositório ou não foi assinado pela chave que indica; o detalhe diz o que está errado.
    .cure = Atualize primeiro o servidor e depois as estações; se continuar, descubra quem envia: o log do servidor indica o endereço.
code-too-many-reports = Uma estação ou um endereço relata demais
    .why = Uma estação pode relatar 500 tentativas por dia e um endereço 20.000, e quem envia o que não é relatório precisa esperar.
    .cure = Descubra com `update-server journal` quem é e por quê. O que não foi aceito espera na estação.
code-journal-full = O diário não tem mais espaço neste mês
    .why = Os relatórios deste mês esgotaram `reports.max_month_bytes`. O que está registrado permanece.
    .cure = Verifique com `update-server journal` se uma estação relata demais; se não, aumente o limite.

## De que /readyz avisa
## docs/operating.md#every-day

code-repository-unsound = As estações não podem usar o repositório
    .why = O que ele assina não confere: um arquivo falta, está danificado ou não pertence aos outros.
    .cure = Execute `manifests verify` nele e siga o que for indicado.
code-file-unreadable = Um arquivo do repositório não pode ser lido
    .why = Ele falta ou está danificado, ou a conta do servidor não pode lê-lo.
    .cure = Veja o arquivo indicado e os direitos dele.
code-refresh-failing = A nova assinatura está falhando
    .why = O servidor deveria assinar snapshot e timestamp sozinho e não consegue; a causa está no aviso.
    .cure = Corrija a causa antes que o timestamp vença; depois disso as estações não aceitam nada novo.
code-role-expired = Um papel venceu
    .why = Ele não foi assinado de novo a tempo. Até lá as estações não aceitam nada novo.
    .cure = Execute `manifests refresh` onde está a chave; se o servidor assina sozinho, o log dele diz por que não o fez.
code-role-expires-soon = Um papel vence em breve
    .why = O prazo está quase no fim e ninguém o assinou de novo.
    .cure = Execute `manifests refresh` onde está a chave.
code-keys-misplaced = Há no servidor chaves que não deveriam estar ali
    .why = Quem dominar este servidor poderia publicar qualquer coisa.
    .cure = Leve-as para uma máquina fora do alcance da rede: `manifests keys split`.
code-keys-unreadable = A pasta das chaves não pode ser lida
    .why = Ela falta, ou a conta do servidor não pode lê-la.
    .cure = Confira o caminho na configuração e os direitos da pasta.
code-folder-unpublished = Uma pasta que deveria publicar a si mesma não é publicada
    .why = Ela não existe, não pode ser lida, infringe uma regra que é indicada, ou não tem papel em seu repositório. As estações veem a versão anterior.
    .cure = Faça o que o aviso diz. A pasta volta a ser examinada por si só.
code-reports-refused = O que as estações relatam não é registrado
    .why = O diário já tem os bytes deste mês ou não pode ser gravado. As estações guardam o que têm a relatar e relatam mais tarde.
    .cure = Faça o que o aviso diz; o disco do diário precisa ter espaço e a conta que serve precisa poder gravar nele. As estações tentam de novo por si mesmas.
