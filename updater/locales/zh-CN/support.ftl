### 维护站点的人看到的文字：历史、诊断、防火墙、支持包、计划任务。代码、检查项名称、命令、文件名和版本号一律不翻译。

## `updater history`

history-nothing-yet = 这里还没有发生过任何事
history-none-such = 这里没有发生过这类事
history-approved = 批准人：{ $approver }
build-none = 无
result-applied = 已安装
result-failed = 失败
result-rolled-back = 已回退
result-deferred = 已推迟
result-downloaded = 已下载
result-declined = 已拒绝
result-recovered = 已恢复
result-checked = 已检查

## `updater doctor`

# 尽量等长：它们排成一列。
verdict-good = 良好
verdict-warning = 警告
verdict-bad = 故障
doctor-unseen = 未检查
doctor-unseen-cure = 见 `state`
doctor-failed = 无法得知：{ $why }
doctor-failed-cure = 按消息所说处理，然后再次运行 `updater doctor`
doctor-state-good = 此文件夹的已知信息可以读取
doctor-state-bad = 此文件夹的已知信息无法读取：{ $why }
doctor-state-cure = 按消息所说处理；用安装链接运行 `updater install` 可重建状态，客户端保持不变
doctor-state-refuses = 不接受任何新内容：{ $why }
doctor-explain-cure = `updater explain { $code }` 会说明怎么办
doctor-rights-good = 客户端的所有文件都可以替换
doctor-rights-agent = 客户端的文件由代理进程替换；请求它的人不需要权限
doctor-rights-bad = 有 { $count } 个文件无法替换，第一个：{ $first }
doctor-rights-cure = 用拥有该文件夹的账户运行 updater，或由 root 以 `--profile service` 安装
doctor-space-good = 可用 { $free } 字节
doctor-space-short = 可用 { $free } 字节，客户端占 { $client } 字节
doctor-space-bad-cure = 清理此磁盘：更新需要存放新文件和备份
doctor-space-soon-cure = 在替换全部文件的版本到来之前清理空间
doctor-space-files = 此磁盘还能容纳的文件数：{ $files }
doctor-space-files-cure = 删除没人需要的文件：更新会创建新文件
doctor-backups-good = 下一个备份有位置
doctor-backups-bad = 下一个备份没有位置：{ $why }
doctor-clock-good = { $now }，与服务器一致
doctor-clock-alone = { $now }；没有服务器给出别的时间
doctor-clock-behind = 时钟显示 { $now }，而发布者在更晚的 { $signed } 签名
doctor-clock-cure = 校准时钟
doctor-clock-differs = 时钟显示 { $now }，服务器显示 { $server }
doctor-clock-differs-cure = 校准这里或那里的时钟
doctor-proxy-none = 未使用代理
doctor-proxy-used = 正在使用 { $proxy }
doctor-server-good = 有应答
doctor-server-unsafe = 连接不安全，因此未询问
doctor-server-bad = 没有正常应答：{ $why }
doctor-server-cure = 检查网络、代理和服务器；`updater print-firewall` 列出必须能访问的地址
doctor-tls-good = 连接没有问题
doctor-tls-bad = 连接不安全：{ $why }
doctor-tls-cure = 如果是你们自己的证书颁发机构，用 `--ca-file` 指定其文件；否则中间有人
doctor-tls-none = 未能建立连接
doctor-see-server = 见 `server`
doctor-trust-none = 尚无受信任的内容
doctor-trust-none-cure = 运行 `updater check`
doctor-trust-good = 最先过期的是 `{ $role }`，时间 { $expires }
doctor-trust-soon = `{ $role }` 将于 { $expires } 过期
doctor-trust-expired = `{ $role }` 已于 { $expires } 过期
doctor-trust-cure = 运行 `updater check`；若无效，须由发布者重新签名（`manifests refresh`）
doctor-schedule-good = `{ $name }` 会自动检查
doctor-schedule-none = 没有自动检查
doctor-schedule-none-cure = 运行 `updater schedule install`
doctor-schedule-unknown = 系统不知道 `{ $name }`
doctor-schedule-unknown-cure = 再次运行 `updater schedule install`
doctor-schedule-unsaid = 系统没有说明是否知道 `{ $name }`
doctor-schedule-unsaid-cure = 用创建计划的账户运行 `updater doctor`
doctor-others-none = 没有其他程序更改这些文件
doctor-drift = 有 { $count } 个文件与安装时不同
doctor-drift-cure = `updater verify` 列出它们，`updater update` 将其恢复
doctor-agent-none = 配置 `user` 不需要代理进程
doctor-agent-good = 有应答
doctor-agent-silent = 没有应答
doctor-agent-silent-cure = 启动它（docs/service.md）：在此之前没有权限的人无法更新

## 同一文件夹上的另一个更新程序

second-updater-files = 另一个程序不断更改此文件夹：{ $files } 被换成了别的内容，一周内 { $rounds } 次，最近一次发现于 { $time }
second-updater-backups = 另一个程序不断更改此文件夹：{ $backups } 由另一个程序生成（发现于 { $time }）
second-updater-both = 另一个程序不断更改此文件夹：{ $files } 被换成了别的内容，一周内 { $rounds } 次，并且 { $backups } 由另一个程序生成，最近一次发现于 { $time }
second-updater-programs = 当时从该文件夹运行的程序：{ $programs }
second-updater-cure = 同一文件夹上的两个更新程序会互相撤销，请关闭另一个；SmartClient 自带的更新可在其服务器的 AppServer.ini 中用 `[UPDATE]` 下的 `Enable=0` 关闭
second-updater-held = 它所更改的内容在 { $until } 之前不会恢复（`updater update --retry` 可立即恢复）

## `updater print-firewall`

firewall-repository = 客户端的版本
firewall-self-update = updater 自身的版本
firewall-proxy = 代理
firewall-redirect = 重定向可能指向的地址
firewall-unresolved = 地址未知

## `updater support-bundle`

bundle-written =
    { $file } 包含 { $parts }
    机密已移除；发送前请先查看。
    下一步：填写 how-to-reproduce.txt，然后一并发送
# What people fill in: S2-25, and the half of S2-28 that no machine knows.
bundle-form =
    发生了什么？本应发生什么？


    怎样才能重现？每行一步，从启动客户端或 updater 开始。
    1.
    2.
    3.

    从什么时候开始？在那之前更改过什么？


    哪些站点有这个问题，哪些没有？


    你试过什么，结果如何？（updater 试过什么，记录在 history.jsonl 中。）

## `updater schedule`

schedule-is = 每 { $every }，由 { $kind }（{ $scope }）执行：`{ $name }`
schedule-next = 下一次检查时间：{ $next }
schedule-done = 下一步：`updater schedule status`
schedule-left = 未作任何登记：请把文件放到系统查找它们的位置
schedule-failed =
    未登记：`{ $command }` 失败（{ $why }）
    下一步：在可以运行的地方运行它，或选择另一个 `--kind`
schedule-none = 没有计划任务
schedule-none-next = 下一步：`updater schedule install`
schedule-removed = `{ $name }` 已移除；有人要求时才检查
schedule-registered = 已登记
schedule-unregistered = 未登记：`updater schedule install` 可重新登记
schedule-registered-unknown = 这里无法得知是否已登记
schedule-last = 上一次计划检查开始于 { $last }
schedule-not-due = 本周期已检查过；下一次时间：{ $next }
schedule-not-again = 上一次检查未能完成；{ $next } 之前不再重试
trigger-off = `{ $trigger }` 在此不触发任何操作：`updater settings triggers` 会列出有效的触发方式
