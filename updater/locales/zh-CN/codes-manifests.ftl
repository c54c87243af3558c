### `manifests` 的代码：命令如何结束，以及文件夹在发布前须遵守的规则。

## 发布者的命令如何结束
## docs/operating.md#publish

code-failed = 文件无法读取或写入
    .why = 磁盘或帐户权限不允许。站点所见没有任何改变。
    .cure = 请查看所示文件，排除原因后再次运行命令。
code-unfit = 文件夹或 zip 不适合发布
    .why = 它违反了规则；每项问题都附有自己的代码。
    .cure = 请修正所列问题；每项都说明了方法。
code-refused = 该版本或更改被拒绝
    .why = 它不能作为下一个：版本倒退、文档过长、请求属于另一仓库，或签名不足。
    .cure = 消息中说明了问题和处理方法。
code-locked = 另一命令正在更改仓库
    .why = 同一时间只允许一个。
    .cure = 请等待其完成，或用 `--wait SECONDS` 让此命令等待。
code-key = 私钥缺失、外露或被锁定
    .why = 密钥不在查找的位置、他人可以读取，或不知道其口令。
    .cure = 请用 `--keys DIR` 指定密钥文件夹、取消他人的权限，或输入口令。
code-damaged = 仓库已损坏
    .why = 其内容无法通过验证；已指出文件。
    .cure = 请运行 `manifests verify`，并从备份恢复该文件。
code-no-repository = 没有仓库，或其位置上是别的东西
    .why = `--repo` 所给的文件夹不是由 `manifests init` 创建的。
    .cure = 请检查路径，或用 `manifests init` 创建仓库。
code-changed = 发布过程中文件夹发生了变化
    .why = 有人或有程序正在其中写入。
    .cure = 请等构建完成，或发布其副本。

## 文件和文件夹的名称
## docs/format.md#1-common-rules

code-path-too-long = 路径过长或层次过深
    .why = 某些系统无法容纳。
    .cure = 请缩短其名称或上层文件夹。
code-path-escapes = 路径超出了文件夹
    .why = 它含有空的部分、`.` 或 `..`，或是绝对路径；站点会写到别处。
    .cure = 请使用相对于该文件夹且不含 `..` 的路径。
code-path-character = 名称中有并非所有系统都能保存的字符
    .why = 某些系统无法保存，或该字符会掩盖真实名称。
    .cure = 请去掉该字符后重命名。
code-path-trimmed = 名称以点或空格结尾，或以空格开头
    .why = Windows 会改变这样的名称。
    .cure = 请重命名。
code-device-name = 名称在 Windows 上是设备名
    .why = Windows 会把 `con`、`nul.txt` 之类的名称当作设备。
    .cure = 请重命名。
code-short-name = 名称像是 Windows 的短文件名
    .why = Windows 可能把 `progra~1` 之类的名称当作另一个文件。
    .cure = 请重命名。
code-not-unicode = 名称不是 Unicode
    .why = 它使用旧编码，其他系统会显示成别的名称。
    .cure = 请用 UTF-8 重命名。
code-case-collision = 两个名称在某些系统上是同一个
    .why = 它们只在大小写或重音的写法上不同。
    .cure = 请重命名或删除其中之一。
code-upper-case = 名称中有大写字母
    .why = 该仓库被设为只接受小写。
    .cure = 请改为小写，或使用 `--names fold` 发布。
code-repeated-name = 压缩包中有重复的名称
    .why = 无法判断指的是哪一个。
    .cure = 请重新制作压缩包，使每个名称只出现一次。

## 不应进入版本的内容
## docs/operating.md#publish

code-client-backup = 文件夹中有客户端的备份
    .why = 其中有名为 `bkp_remote.001` 至 `.003` 的内容：有客户端从此文件夹运行。
    .cure = 请发布构建的干净副本。
code-updater-state = 文件夹中有 updater 的状态
    .why = 其中有 `.updater`：这是已安装的客户端。
    .cure = 请发布构建的干净副本。
code-live-client = 文件夹看起来正被客户端使用
    .why = 其中有日志、锁文件或临时文件，它们会被发送到所有站点。
    .cure = 请发布构建的干净副本。若它们确属构建，请使用 `--allow live-client`。
code-server-folder = 文件夹看起来是应用服务器自身的
    .why = 其中有服务器的程序或设置，它们会被发送到所有站点。
    .cure = 请将客户端构建放在单独的文件夹中。若确有此意，请使用 `--allow server-folder`。
code-truncated-program = 文件夹中的某个程序不完整
    .why = 其文件头所指内容超出文件长度，或文件为空，或应有内容之处仍为零：复制提前中断，或仍在进行。
    .cure = 请重新完整复制。若确有此意，请使用 `--allow truncated-program`。
code-own-repository = 仓库与文件夹互相嵌套
    .why = 版本会包含它所要发布到的仓库。
    .cure = 请将构建放在单独的文件夹中。
code-own-keys = 密钥与文件夹互相嵌套
    .why = 发布会把密钥泄露出去。
    .cure = 请将密钥放在别处。
code-private-key = 文件夹中有私钥
    .why = 发布会把它泄露出去。
    .cure = 请将其删除。可能被他人读过的密钥必须更换。
code-junk-file = 文件夹中有仅供桌面使用的文件
    .why = `.DS_Store`、`Thumbs.db` 之类由文件浏览器留下。
    .cure = 请在发布前删除。

## 无法发布的链接和文件
## docs/format.md#6-release-manifest

code-link-not-allowed = 在不支持链接的系统上有链接
    .why = 该系统的站点无法创建它。
    .cure = 请用链接所指的内容替换链接。
code-link-escapes = 链接指向文件夹之外
    .why = 在站点上它会指向他人的文件。
    .cure = 请改为文件夹内的相对链接。
code-special-file = 有套接字、管道或设备
    .why = 它没有可以发布的内容。
    .cure = 请将其删除。
code-unreadable = 文件无法读取
    .why = 进行发布的帐户没有权限。
    .cure = 请授予其读取该文件的权限。

## 版本所需的内容
## docs/operating.md#publish

code-empty-folder = 文件夹中没有文件
    .why = 它是空的，或只有空文件夹。
    .cure = 请指定存放已解包构建的文件夹。
code-too-many-entries = 文件过多
    .why = 一个版本中的文件数量有限。
    .cure = 请减少单个版本的内容。
code-entry-point-missing = 入口文件不在文件夹中
    .why = `--entry-point` 指定的文件不存在。
    .cure = 请在 `--entry-point` 中给出文件夹内的路径。
code-entry-point-mode = 入口文件不可执行
    .why = 站点无法启动它。
    .cure = 请对其运行 `chmod +x`。
code-probe-missing = 用于证明版本存活的文件不存在
    .why = `--probe` 指定的文件不存在。
    .cure = 请用 `--probe file:PATH` 给出文件夹内的路径。
code-no-app-bundle = 文件夹中没有 `.app` 包
    .why = macOS 的构建是包含该包的文件夹。
    .cure = 请指定包含它的文件夹。若确有此意，请使用 `--allow no-app-bundle`。
code-only-archives = 文件夹中只有压缩包
    .why = 站点得到的是原样的、已解包的文件。
    .cure = 请先解包，或直接发布该 zip。若确有此意，请使用 `--allow only-archives`。
code-unsafe-archive = 无法安全地读取压缩包
    .why = 其各部分互相矛盾，两个程序可能解出不同的内容。
    .cure = 请用可信的工具解包并发布文件夹。
code-other-server = 客户端与该通道的服务器不兼容
    .why = 按照该通道的兼容规则，此版本无法与通道所指明的服务器版本（`--server-build`）配合使用，因此目前没有工作站会安装它。
    .cure = 请发布兼容的版本；或者在服务器升级之后，用 `--server-build` 指明其版本并重新发布。
code-config-file = 版本中有配置文件
    .why = 用户可能改过自己的配置；此时如何处理由该文件的策略决定，策略已列出。
    .cure = 若确有此意则无需操作；否则请用 `--config` 指定。
code-time-clamped = 文件的时间没有文件系统能够保存
    .why = 它超出了站点所能保存的范围。
    .cure = 无需操作：站点会显示最接近的可用时间。
