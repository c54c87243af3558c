### `update-server` 的代码：其问题文档中的 `code`，以及 `/readyz` 的警告。

## 对请求的答复
## docs/security.md#transport-and-server

code-no-such-page = 此地址下没有任何内容
    .why = 服务器不认识该路径；仓库位于 `/repo/`，安装文档位于 `/i/`。
    .cure = 请检查地址。站点的地址来自安装链接：请重新索取链接。
code-no-such-file = 不提供该文件
    .why = 此服务器上没有该仓库或其中没有该文件，或其名称不允许提供。
    .cure = 请检查仓库名称。若站点缺少文件，说明仓库不完整：请运行 `manifests verify`。
code-no-such-install-code = 没有此代码的安装文档
    .why = 安装链接有误，或其文档已被删除。
    .cure = 用 `update-server link` 生成新链接，或索取一个。
code-method-not-allowed = 地址存在，但不支持此方法
    .why = 请求使用了别的 HTTP 方法；字段 `Allow` 列出了可用的方法。
    .cure = 请使用其中之一。
code-range-not-satisfiable = 范围起点超出文件末尾
    .why = 请求了文件中不存在的字节；常见情况是文件另一版本的片段。
    .cure = 请重新请求该文件；字段 `Content-Range` 给出其长度。
code-precondition-failed = 文件不是所请求的版本
    .why = 取得 `If-Match` 之后文件已改变。
    .cure = 请重新请求。
code-request-body-too-large = 请求正文过长
    .why = 超过了 `limits.max_body_bytes`。
    .cure = 站点的请求都没有正文；发布另有限制。
code-content-damaged = 存储的文件已损坏，不予提供
    .why = 其内容与名称不符；可能是磁盘故障或人工改动。
    .cure = 请对仓库运行 `manifests verify`，检查磁盘，并从备份恢复或重新发布该文件。
code-storage-failed = 服务器背后的存储没有响应
    .why = 存放仓库的磁盘或网络驱动器拒绝访问或超时。
    .cure = 请查看服务器日志和存储；客户端会自行重试。

## 通过网络发布
## docs/operating.md#from-ci

code-token-refused = 发布令牌缺失或错误
    .why = 发布需要 `Authorization: Bearer TOKEN`，且令牌须属于该仓库；仓库是否存在不予告知。
    .cure = 请检查令牌和仓库名称。
code-too-many-wrong-tokens = 此地址发来的错误令牌过多
    .why = 有人或使用旧令牌的任务在不断尝试。
    .cure = 请按 `Retry-After` 所示等待，然后用正确的令牌重试。
code-submission-too-long = 提交内容超过服务器接受的长度
    .why = 超过了 `limits.max_publish_bytes`。
    .cure = 请减少单次发布的内容，或提高限制。
code-submission-too-slow = 提交内容到达过慢
    .why = 慢于 `limits.min_publish_bytes_per_second`。
    .cure = 请换用更好的连接发送，或降低限制。
code-submission-cut = 提交内容没有完整到达
    .why = 连接中途断开。没有发布任何内容。
    .cure = 请重新发送。
code-submission-unfit = 提交内容无法发布
    .why = 内容不合要求或签名不符；详情中说明了问题。
    .cure = 请更正后重新生成提交。
code-base-not-current = 期间已有他人发布
    .why = 该提交所依据的版本已不是当前版本。没有发布任何内容。
    .cure = 请基于当前状态重新生成并发送。
code-repository-busy = 另一提交或命令正在更改仓库
    .why = 同一时间只允许一个。
    .cure = 请一分钟后重新发送。
code-publish-failed = 服务器未能完成其发布工作
    .why = 文件无法写入或密钥无法使用。没有发布任何内容。
    .cure = 原因见服务器日志；排除后重新发送。

## 站点的报告
## docs/operating.md#what-stations-report

code-report-too-long = 报告超过服务器接受的长度
    .why = 站点的一份报告最多包含 100 次尝试，且不超过半个 MiB。
    .cure = 更新程序会自行遵守；其他程序须分批发送报告。
code-report-cut = 报告没有完整到达
    .why = 连接中途断开或过慢。没有记录任何内容。
    .cure = 站点会在下次检查时重新发送；若持续出现，请检查两者之间的网络。
code-report-unfit = 收到的内容不是站点的报告
    .why = 格式有误、属于另一仓库，或不是由其所示密钥签名；详情中说明了问题。
    .cure = 请先更新服务器，再更新站点；若持续出现，请查明发送者：服务器日志中有其地址。
code-too-many-reports = 某站点或地址的报告过多
    .why = 一个站点每天可报告 500 次尝试，一个地址 20,000 次；发送非报告内容者须等待。
    .cure = 请用 `update-server journal` 查明是谁以及原因。未被接受的内容在站点上等待。
code-journal-full = 本月的报告日志已没有空间
    .why = 本月的报告已用尽 `reports.max_month_bytes`。已记录的内容会保留。
    .cure = 请用 `update-server journal` 查看是否有站点报告过多；否则请提高限制。

## /readyz 的警告
## docs/operating.md#every-day

code-repository-unsound = 站点无法使用该仓库
    .why = 其签名内容无法通过验证：有文件缺失、损坏或与其他文件不相符。
    .cure = 请对其运行 `manifests verify` 并按提示处理。
code-file-unreadable = 仓库中有文件无法读取
    .why = 文件缺失或损坏，或服务器帐户无权读取。
    .cure = 请查看所示文件及其权限。
code-refresh-failing = 重新签名失败
    .why = 服务器应自行签署 snapshot 和 timestamp，但未能做到；原因见警告。
    .cure = 请在 timestamp 过期之前排除原因；过期后站点不再接受任何新内容。
code-role-expired = 有角色已过期
    .why = 没有及时重新签名。在此之前站点不接受任何新内容。
    .cure = 请在其密钥所在处运行 `manifests refresh`；若由服务器自行签署，其日志会说明未签的原因。
code-role-expires-soon = 有角色即将过期
    .why = 期限将至，而无人重新签名。
    .cure = 请在其密钥所在处运行 `manifests refresh`。
code-keys-misplaced = 服务器上存有不该存在的密钥
    .why = 谁掌握了这台服务器，谁就能发布任何内容。
    .cure = 请将其移到网络无法到达的机器上：`manifests keys split`。
code-keys-unreadable = 无法读取密钥文件夹
    .why = 文件夹不存在，或服务器帐户无权读取。
    .cure = 请检查设置中的路径和文件夹权限。
code-folder-unpublished = 应自行发布的文件夹未能发布
    .why = 文件夹不存在、无法读取、违反了所指出的规则，或在仓库中没有角色。站点看到的是之前的版本。
    .cure = 请按警告所说处理。之后会自动再次检查该文件夹。
code-reports-refused = 站点的报告未被记录
    .why = 日志本月的容量已满，或无法写入。站点会保留要报告的内容，稍后再报。
    .cure = 按警告所说的做；日志所在磁盘须有空间，且服务账户可以写入。站点随后会自行重试。
