### `updater` 的代码。代码的含义永不改变。

## 检查或更新的结果
## docs/stations.md

code-update-available = 有更新的版本
    .why = 发布者为本站点发布了尚未安装的版本。
    .cure = 运行 `updater update`。用 `updater update --dry-run` 可先查看将要做什么。
code-up-to-date = 没有适用于本站点的更新版本
    .why = 已安装适用于本站点的最新版本。
    .cure = 无需任何操作。
code-renumbered = 已安装的文件以更大的编号再次发布
    .why = 发布者再次发布了完全相同的文件，只有站点的记录会改变。
    .cure = 随时运行 `updater update` 即可；客户端文件不会改变。
code-nothing-released = 没有适用于本站点的版本
    .why = 该通道中没有适用于此系统的版本，或所有版本都因故被略过，原因见 `updater status --explain`。
    .cure = 运行 `updater status --explain`。如果没有列出任何内容，请询问发布者是否为此系统、变体和通道发布了产品。
code-nothing-to-do = 一切正常
    .why = 已安装适用于本站点的最新版本，且所有文件都与安装时一致。
    .cure = 无需任何操作。
code-planned = 这只是更新的预演
    .why = 该命令是试运行，未做任何更改。
    .cure = 运行 `updater update` 以实际执行。
code-needs-consent = 新版本正在等待有人同意
    .why = 当时无人可以询问，而未经同意不会安装更新。
    .cure = 在终端运行 `updater update` 并作答，或运行 `updater update --yes`。
code-declined = 有人拒绝了更新
    .why = 对是否更新的回答为“否”。未做任何更改。
    .cure = 在合适的时候再次运行 `updater update`。
code-required = 该版本不能忽略
    .why = 已安装的版本与服务器不匹配、低于安全底线或存在安全漏洞；或者可推迟的期限已过，或者尚未安装任何版本。
    .cure = 用 `updater update` 安装它；在此之前会一直提供。
code-two-acts = 此处的版本分两步下载和安装
    .why = 本站设置为 `consent = "manual"`：不会自动更新，也不会一次完成两步。未做任何更改。
    .cure = 运行 `updater download`，在合适的时候再运行 `updater apply`。
code-downloaded = 新版本已下载，等待安装
    .why = 所需内容均已在此并经过校验。已安装的客户端保持原样。
    .cure = 运行 `updater apply`。
code-nothing-waits = 没有等待安装的版本
    .why = 没有下载任何版本，或者已下载的版本不再提供给本站。
    .cure = 运行 `updater download` 获取所提供的版本。

## 客户端与服务器
## docs/stations.md#the-two-moments-of-a-start

code-incompatible = 客户端与应用服务器不匹配
    .why = 按照发布者签名的内容，客户端和服务器的构建不匹配，并且没有人同意替换客户端。客户端未启动，未做任何更改。
    .cure = 下次启动时同意更新，或请管理这台计算机的人运行 `updater update --yes`。如果没有任何版本与服务器匹配，请联系管理服务器的人。如果通道没有说明服务器，可用 `updater settings server_build` 指定。
code-needs-both-minimums = 客户端和应用服务器都需要更新的构建
    .why = 该版本对双方都规定了最低构建，其中一方低于要求。
    .cure = 请更新应用服务器和客户端，先更新服务器。
code-cannot-be-compared = 无法判断客户端与应用服务器是否匹配
    .why = 两者的构建使用不同的记法，签名的内容也没有说明是否匹配。这里不作猜测。
    .cure = 更正 `updater settings server_build`，或请发布者说明客户端适用于哪些服务器。

## 版本被略过的原因
## docs/architecture.md#from-the-server-to-a-running-client

code-held = 该版本在本站点上被搁置
    .why = 有人用 `updater rollback` 退回了该版本，因此不再提供。
    .cure = `updater unhold` 可重新提供它；任何更新的版本都会自动提供。
code-blocked = 该版本曾在本站点上无法正常运行
    .why = 它曾安装在此，但未能启动或很快退出，因此已被撤下。
    .cure = 请告知发布者并等待下一个版本。若已在此处排除原因，可用 `updater update --retry` 重试。
code-quarantined = 该版本连续多次无法应用
    .why = 应用已失败三次，因此将其搁置，不再占用带宽和磁盘。
    .cure = 在 `updater history` 中查看原因，排除后运行 `updater update --retry`。
code-ignored = 本站点忽略该版本
    .why = 本站点有人选择忽略此版本，因此不再提供。
    .cure = `updater ignore --undo` 可重新提供它；任何更新的版本都会自动提供。
code-withdrawn = 发布者已撤回该版本
    .why = 发布者收回了该版本并说明了理由。
    .cure = 无需任何操作：将提供未被撤回的最新版本。
code-downgrade = 该版本比已安装的版本旧
    .why = 只有发布者将其标记为退回途径时，才接受较旧的版本。
    .cure = 如需退回，请使用 `updater rollback`。发布者若有此意，应使用 `--allow-downgrade` 发布。
code-incomparable = 版本号无法比较
    .why = 该版本的编号写法与已安装的不同，无法判断哪个更新。
    .cure = 请发布者统一写法，或使用 `--allow-downgrade` 发布写法的变更。
code-replayed = 来源提供的内容比以前旧
    .why = 本站点曾接受过更大的编号；来源提供的是仓库的旧状态。
    .cure = 请确认服务器是否正确，以及其仓库是否从备份恢复过。运维人员的处理办法见运维文档。
code-needs = 该版本需要本机上有更新的组件
    .why = 它要求比此处更新的 updater、平台或服务器。
    .cure = 请更新所指出的组件：updater 本身用 `updater self update`，平台和服务器请联系其管理员。
code-held-by-site = 现场已暂停该通道
    .why = 本现场的管理员暂时停止了新版本。
    .cure = 请询问他们何时恢复；站点上无需任何操作。
code-not-released-by-site = 现场尚未向站点放行该版本
    .why = 本现场的管理员自行放行版本，尚未轮到此版本。
    .cure = 请询问他们；站点上无需任何操作。
code-pinned-by-site = 现场要求站点使用另一版本
    .why = 本现场的管理员为所有站点选定了一个版本。
    .cure = 请询问他们；站点上无需任何操作。
code-not-understood = 该版本使用了此 updater 不认识的内容
    .why = 它由比此 updater 更新的工具发布。
    .cure = 用 `updater self update` 更新 updater 本身，然后运行 `updater update`。

## 安全底线与退回
## docs/stations.md#going-back

code-installed-withdrawn = 已安装的版本已被撤回
    .why = 发布者在此处安装之后收回了该版本。
    .cure = 运行 `updater update`。若尚无更新的版本，请询问发布者是否应使用 `updater rollback` 退回。
code-below-floor = 已安装的版本低于安全底线
    .why = 发布者已在较新的版本中修复了安全漏洞。
    .cure = 请尽快运行 `updater update`。
code-pin-below-floor = 现场选定的版本低于安全底线
    .why = 现场选定了发布者认为不安全的版本；站点仍会升级到安全版本。
    .cure = 现场管理员应选择不低于底线的版本。
code-offered-for-floor = 该版本在违背现场意愿的情况下提供
    .why = 没有它，本站点将低于安全底线，而现场的任何设置都不能使其如此。
    .cure = 运行 `updater update`；现场管理员应向站点放行该版本。
code-needs-reason = 退回此版本需要理由
    .why = 备份中的版本已被撤回或低于安全底线。
    .cure = 请选择另一备份（`updater backups`），或说明理由：`updater rollback --to NNN --reason WHY`。
code-needs-admin = 只有管理员可以退回此版本
    .why = 备份中的版本已被撤回或低于安全底线。
    .cure = 请文件夹的所有者或管理员运行 `updater rollback --to NNN --reason WHY`。

## 连接
## docs/security.md#transport-and-server

code-unreachable = 无法连接更新服务器
    .why = 没有网络、服务器已停止，或中间有防火墙或代理。未做任何更改，已收到的内容会保留。
    .cure = 请检查网络和地址后重试；下载会从中断处继续。
code-too-slow = 连接太慢
    .why = 长时间几乎没有收到数据，或所需数据多于客户端启动时所能等待的量。下载已中断；已收到的内容会保留。
    .cure = 请稍后或换用更好的连接重试；下载会从中断处继续。
code-not-there = 服务器上缺少应有的文件
    .why = 服务器上的仓库不完整，或地址指向了别处。
    .cure = 请几分钟后重试。若仍如此，请服务器负责人运行 `manifests verify`。
code-web-page = 收到的是网页而不是更新
    .why = 本机与服务器之间有网络登录页面（酒店、访客网络或过滤器）。
    .cure = 请在浏览器中登录网络，或换用其他网络，然后重试。
code-redirected = 服务器将下载转向别处，未予跟随
    .why = 只跟随同一网站内的重定向，以免有人将站点引入歧途。
    .cure = 请服务器负责人在站点所知的地址上提供文件。
code-unsafe-connection = 与服务器的连接不安全
    .why = 服务器证书有误、已过期，或由本机不信任的机构签发；常见原因是途中的过滤器拆解了连接。
    .cure = 请检查本机的日期和时间。若贵公司有自己的证书机构，请用 `--ca-file FILE` 指定。
code-incomplete-copy = 带来的副本不完整
    .why = 副本中有文件比应有的短：复制被中断，或仍在进行。
    .cure = 请重新复制仓库，等待完成后再试。

## 信任与时间
## docs/security.md#metadata-and-trust

code-untrusted = 来源提供的内容不可信
    .why = 签名、长度或摘要与发布者所签的不符。没有使用其中任何内容，也未做任何更改。
    .cure = 请重试；若仍如此，请告知发布者以及服务器或镜像的负责人。请勿从该处手动安装客户端。
code-expired = 版本数据已过期
    .why = 服务器太久没有重新签名，或本机时钟走快了。
    .cure = 请检查本机的日期和时间。若正确，请服务器负责人运行 `manifests refresh`。若无法设置时钟，可用 `--clock TIME`（UTC）给出时间。
code-bad-manifest = 该版本的文件清单不是签名的那一份
    .why = 来源提供的文件清单已损坏或被改动。此处未做任何更改。
    .cure = 请重试；若仍如此，请告知发布者。
code-corrupt-object = 下载的文件已损坏
    .why = 即使重新下载，收到的内容仍与发布者所签的不符。
    .cure = 请换用其他连接重试；若仍如此，请服务器负责人运行 `manifests verify`。
code-epoch-rollback = 来源提供的是已结束的纪元
    .why = 发布者在紧急情况后开始了新纪元，而来源仍在提供旧的。
    .cure = 请确认服务器是否正确；镜像负责人必须更新镜像。
code-more-roots = 发布者多次更换密钥，尚未全部跟上
    .why = 本站点错过的密钥更换次数超过一次检查所能跟随的数量。
    .cure = 请再次运行该命令；它会从中断处继续。
code-bad-link = 安装链接无法使用
    .why = 链接不完整或有误；缺少 `#` 之后的部分，就无从得知该信任谁。
    .cure = 请重新索取链接，并加引号完整复制。
code-long-sleep = 本站点一次跟上了多次密钥更换
    .why = 它长时间关机，期间发布者更换了密钥。
    .cure = 无需任何操作。
code-stale-copy = 带来的副本已过期
    .why = 它比发布者对网络所允许的更旧，但因为是带来的，暂时仍予接受。
    .cure = 请在所示日期之前带来更新的副本。
code-clock-behind = 本机时钟走慢了
    .why = 发布者签名的时间，本机时钟尚未走到。
    .cure = 请设置本机的日期和时间。
code-clock-given = 时间由人工给出
    .why = 命令使用了 `--clock`，因此按该时间判断有效期。
    .cure = 请设置本机的日期和时间，并不再使用 `--clock`。

## 文件夹与磁盘的要求
## docs/security.md#the-folder-and-the-swap

code-no-write-right = updater 没有客户端文件夹的写入权限
    .why = 该文件夹或其中某个文件为只读、不可更改或属于他人。未做任何更改。
    .cure = 请授予运行 updater 的帐户对该文件夹及其全部文件的写入权限，或以所有者身份运行。
code-no-space = 磁盘空间不足
    .why = 下载内容、新文件和备份无法与客户端一起容纳。未做任何更改。
    .cure = 请删除该磁盘上无用的内容后重试；若已知所需的字节数，消息中会写明。
code-file-in-use = 客户端正在使用中
    .why = 客户端的某个程序正在运行，或有人占用其文件。从不强行结束程序，因此未做任何更改。
    .cure = 请关闭客户端后重试，或用 `--in-use wait` 让 updater 等待。
code-link-in-tree = 遇到符号链接
    .why = 客户端的某个文件夹被换成了链接；链接可能指向任何地方，updater 一概不通过。
    .cure = 请将链接换成真正的文件夹，然后重试。
code-storage-error = 磁盘工作不正常
    .why = 系统拒绝读取或写入文件；原因可能是线缆、网络驱动器、磁盘损坏或过滤程序。
    .cure = 请查看所示文件和系统日志，检查磁盘，然后重试。
code-in-the-way = 有东西挡住了
    .why = 应为文件夹或文件的位置上有别的东西，且不是 updater 放置的。
    .cure = 请将所示内容移走，然后重试。
code-file-changing = 准备更新期间有文件被改动
    .why = 有人或有程序同时在客户端文件夹中写入，例如杀毒软件或另一个更新程序。
    .cure = 请重试。若再次发生，请查明是谁在写入。
code-other-volume = 文件夹的一部分位于另一磁盘
    .why = 客户端文件夹或其中的文件夹是挂载点；文件无法一步跨磁盘移动。
    .cure = 请将整个客户端放在同一磁盘上；对于 `service` 配置，请用 `--state DIR` 指定同一磁盘上的文件夹。
code-no-folder = 无法打开文件夹
    .why = 文件夹不存在，或此帐户无权进入。
    .cure = 请检查 `--dir` 之后的路径以及帐户权限。

## 客户端的使用与存活
## docs/stations.md#does-the-new-build-live

code-deferred = 更新已就绪，等待客户端关闭
    .why = 客户端的某个程序正在运行。新文件已准备好；正在使用的客户端未做任何更改。
    .cure = 请关闭客户端；下次 `updater update` 或 `updater launch` 会直接应用，无需再次下载。
code-returned = 新版本无法正常运行，已恢复之前的版本
    .why = 新版本未通过发布者的检测，或启动后很快退出。
    .cure = 请继续使用之前的版本并告知发布者。新版本的输出见 `updater history`。
code-not-alive = 已安装的版本无法运行，也无法恢复其他版本
    .why = 该版本未通过检测，而没有其他版本的完整备份，或退回的途径受阻。
    .cure = 请查看消息中的原因。请发布或安装能够启动的版本，并告知发布者。
code-no-entry-point = 不知道由哪个文件启动客户端
    .why = 该版本发布时没有指定入口文件。
    .cure = 请发布者使用 `--entry-point PATH` 发布。
code-not-all-here = 该版本的内容未全部在本机
    .why = 启动客户端时不会下载任何内容，而等待中的版本缺少部分文件。
    .cure = 运行 `updater update`。

## 安装的状态
## docs/crash-safety.md#how-it-works

code-not-installed = 此文件夹中没有 updater 管理的安装
    .why = 此处没有安装过，或已用 `updater uninstall` 移除。
    .cure = 用 `updater install LINK --dir DIR` 安装，或用 `--dir` 指定正确的文件夹。
code-follows-other = 此文件夹已属于另一产品
    .why = 一个文件夹只能容纳一个产品。
    .cure = 请安装到另一文件夹，或先在此运行 `updater uninstall`；客户端会保留原处。
code-busy = 另一个 updater 正在处理此文件夹
    .why = 同一时间只能有一个；消息中写明了是哪个进程及其所有者。
    .cure = 请等待其完成，或用 `--wait SECONDS` 让此程序等待。崩溃之后无需删除任何东西。
code-second-updater = 有其他程序不断更改此文件夹
    .why = updater 放好的文件又变成了别的文件，或出现了并非由它创建的备份。一天内修复三次之后它便不再修复，因为同一文件夹中的两个更新程序会互相抵消。
    .cure = 请关闭另一个更新程序。若是 SmartClient，请在其服务器的 AppServer.ini 的 `[UPDATE]` 中设置 `Enable=0`，然后运行 `updater update --retry`。
code-interrupted = 之前的更新被中断并已撤销
    .why = 断电或 updater 中途被结束，更新无法完成。
    .cure = 没有任何损坏：请再次运行 `updater update`。
code-damaged-state = updater 自身的记录已损坏
    .why = `.updater` 中有文件无法读取；可能是磁盘故障或有人改动。
    .cure = 用安装链接再次运行 `updater install`；客户端文件会保留。请检查磁盘。
code-bad-settings = 无法使用该站点的设置
    .why = `.updater/settings.toml` 中有 updater 不认识的行。在更正之前不会安装任何新内容；相符的客户端照常启动。
    .cure = 请更正消息中显示的那一行，或用 `updater settings --unset KEY` 去掉一个键。没有该文件时，按未作设置处理。
code-broken-swap = 更新被中断，且无法自行完成
    .why = 准备好的文件丢失，或两个方向都无法移动。在修复之前，只有所有文件都与安装时一致，客户端才会启动。
    .cure = 请按消息所述处理。若消息未给出办法，请移走 `.updater/journal` 并运行 `updater verify --repair`。
code-swap-failed = 新文件无法就位
    .why = 系统在替换中途拒绝了操作；已移动的内容全部移回原处。
    .cure = 请查看消息中的文件，排除原因后重试。
code-newer-state = 此文件夹的记录由更新的 updater 写入
    .why = 此 updater 比之前在此工作的版本旧，不会触碰自己读不懂的内容。
    .cure = 请使用较新的 updater，或用 `updater self update` 更新此程序。
code-no-manifest = 已安装版本的文件清单已无处可得
    .why = 本机和仓库中都已没有。
    .cure = 运行 `updater update`：它会将文件夹升级到最新版本。

## 备份
## docs/stations.md#going-back

code-backup-missing = 没有可退回的备份
    .why = 此处尚未更新过，或备份已被删除。
    .cure = `updater backups` 列出现有备份。若要得到干净的客户端，请运行 `updater verify --repair`。
code-backup-damaged = 备份已损坏
    .why = 其中的文件缺失，或与保存时不一致。
    .cure = 请用 `updater backups` 和 `updater rollback --to NNN` 选择另一备份，或用 `updater backups --adopt` 按现状接受。
code-backup-foreign = 有备份名称的文件夹不是 updater 创建的
    .why = 名为 `bkp_remote.001` 至 `.003` 的文件夹由他人创建，绝不会被删除。
    .cure = 用 `updater backups --adopt` 将其纳入轮换，或将其移走。
code-rollback-failed = 退回失败
    .why = 无法恢复备份；客户端保持原样。
    .cure = 请查看消息中的原因，排除后再次运行 `updater rollback`。

## 用户没有权限的站点
## docs/service.md

code-others-can-write = 只应由 root 写入的位置，他人也能写入
    .why = `service` 配置承诺他人不能更改客户端，而现在有人可以。
    .cure = 请将所示文件夹交给 root（在 Windows 上交给管理员组），并取消其他所有人的写入权限。
code-forged-registry = 安装登记表不可信
    .why = 他人可以写入，因此其中可能指向任何文件夹。
    .cure = 请将登记表文件夹只留给 root，并在继续之前查看其中的内容。
code-other-profile = 文件夹使用另一配置，或其状态位于别处
    .why = 配置和状态的位置在首次安装时选定，之后不再改变。
    .cure = 请不要使用 `--profile` 和 `--state`，或运行 `updater uninstall` 后重新安装。
code-agent-not-running = 代理没有响应
    .why = 只有 root 可以更改此文件夹，而 root 的代理没有运行。
    .cure = 请管理员启动它：`systemctl start stationmaster-updater`。
code-agent-not-ours = 响应的不是此文件夹的代理
    .why = 有另一程序在代理的位置上监听。未向其提出任何请求。
    .cure = 请立即告知管理员。
code-agent-lost = 代理中途断开
    .why = 它被停止或重启，或版本不同。未完成的工作会在其再次启动时完成或撤销。
    .cure = 请一分钟后查看 `updater status`。若回答无法读取，请更新两个程序。
code-agent-busy = 代理过于繁忙
    .why = 同时到来的请求太多。
    .cure = 请一分钟后重试。
code-bad-request = 代理不理解该请求
    .why = 提出请求的程序与代理的版本不同。
    .cure = 请更新两者。
code-not-allowed = 您无权在此执行该操作
    .why = 管理员将此命令保留给 root 或某个用户组。
    .cure = 请管理员代为执行，或在 `agent.toml` 中允许您的用户组。
code-no-socket = 代理无法监听
    .why = 无法在应有的位置创建套接字。
    .cure = 请查看消息中的路径：其文件夹必须存在且属于 root。

## updater 本身
## docs/operating.md#updating-the-updater

code-no-updater = 该链接不是 updater 的链接
    .why = 它指向客户端或其他内容，不会放到 updater 的位置上。
    .cure = 请索取 updater 本身的安装链接。
code-updater-failed = 新的 updater 无法正常运行，旧的保留
    .why = 它未能启动、读不懂此处的记录，或在确认正常之前退出。不会再次尝试。
    .cure = 请继续使用旧的，并告知 updater 的发布者。
code-self-update-failed = updater 无法更新自身
    .why = 系统没有给出程序所在的位置，或新程序无法放到那里。
    .cure = 请查看消息中的原因；必要时请手动安装 updater。

## 命令本身
## docs/stations.md#languages-and-codes

code-usage = 命令行有误
    .why = 选项或参数缺失、未知或格式不正确。
    .cure = `updater help` 和 `updater COMMAND --help` 给出了用法。
code-bad-argument = 传给命令的内容无法使用
    .why = 文件无法读取、时间或设置无效，或不适用于此系统。
    .cure = 请更正消息中指出的内容。
code-internal = updater 出现了不该有的故障
    .why = 这是 updater 的缺陷，或系统拒绝了非常基本的操作。
    .cure = 请重试。若仍如此，请连同 `STATIONMASTER_LOG=debug` 的输出一并报告。
