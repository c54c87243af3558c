### 各命令的报告。代码、命令、文件名和版本号一律不翻译；以代码开头或位于末尾冒号之后的内容可能是技术信息，保留英文。

## 通用

report-warning = 警告：{ $text }
report-kept = 保留了您自己的 `{ $path }`
report-next-update = 下一步：`updater update`
build-unknown = 未知版本

## `updater check`

check-nothing-installed = 未安装任何版本
check-installed = 已安装 { $product } { $build }
check-offer = { $at }；可更新到 { $build }
check-renumbered = { $at }，以编号 { $number } 重新发布
check-up-to-date = { $at }，没有适用于本站点的更新版本
check-nothing-released = { $at }，没有适用于本站点的版本
check-passed-over = 第 { $number } 号版本（{ $build }）：{ $why }
check-unknown-build = 未知版本
check-drift = 有 { $count } 个文件与安装时不同（`updater verify` 列出它们）

## `updater update` 以及其他带来新版本的命令

update-deadline-over = 期限已过（{ $at }）：下一次启动或计划检查将不经询问直接安装
update-deadline = 自期限起（{ $at }）：下一次启动或计划检查将不经询问直接安装
update-nothing = { $at } 已是最新；未做任何更改
update-plan = { $from } → { $to }：需接收 { $bytes } 字节，写入 { $files } 个文件
update-plan-set = ，修正 { $files } 个文件的日期
update-plan-removed = ，删除 { $files } 个
update-plan-backup = ，并做备份
update-plan-kept = 保留您自己的 `{ $path }`
update-plan-merged = 将新内容加入您自己的 `{ $path }`
update-planned = 未做任何更改。下一步：`updater update`
update-not-agreed = 未做任何更改。下一步：`updater update --yes`
update-two-acts = 未做任何更改。下一步：`updater download` 下载，`updater apply` 安装
update-ignored = 未做任何更改，且不再提供此版本；更新的版本照常提供。`updater ignore --undo` 可撤销
update-needs-admin = 未做任何更改：须由负责此文件夹的人同意
update-downloaded =
    { $build } 已下载，接收 { $bytes } 字节；{ $at } 保持原样
    下一步：`updater apply` 安装
update-deferred = { $build } 已就绪并等待：客户端正在使用，未做任何更改
update-unseen = 某个看不到的程序占用了文件
update-deferred-next = 下一步：关闭客户端；然后 `updater update` 会安装，或用 `--in-use wait` 等待
update-returned =
    { $build } 未能运行：{ $why }
    已回到 { $at }；在更新的版本发布之前不再采用 { $build }
    下一步：告知发布者；`updater history` 中有全部记录
update-done-updated = 已更新到 { $at }：写入 { $files } 个文件，接收 { $bytes } 字节
update-done-installed = 已安装 { $at }：写入 { $files } 个文件，接收 { $bytes } 字节
update-done-repaired = 已修复 { $at }：写入 { $files } 个文件，接收 { $bytes } 字节
update-done-backup = ；之前的内容在 { $backup }
update-merged = 您自己的 `{ $path }` 已加入新内容
update-next-rollback = 下一步：启动客户端；`updater rollback` 可回退
update-next-status = 下一步：启动客户端；`updater status` 显示这里的情况
apply-nothing =
    没有可安装的内容；未做任何更改
    下一步：`updater download` 下载所提供的版本
install-set = 已设置 { $key } = { $value }

## `updater ignore`、`updater verify`、`updater uninstall`

ignore-done = 已忽略 { $build }（第 { $number } 号版本）：不再提供它，更新的版本照常提供
ignore-next = 下一步：`updater ignore --undo` 重新提供
ignore-undone =
    被忽略的版本重新提供
    下一步：`updater check`
ignore-none = 没有忽略过这些
ignore-nothing =
    这里没有可忽略的版本
    下一步：`updater check` 查询新版本
verify-whole = 全部 { $files } 个文件都与 { $at } 一致
verify-differ =
    { $files } 个文件中有 { $count } 个不同
    下一步：`updater verify --repair`
uninstall-done = updater 自己的文件已删除；客户端保持原样
uninstall-backups = 保留 { $count } 个备份：不再需要时请删除 bkp_remote.* 文件夹
uninstall-strange = `{ $name }` 保留：无法确认它属于 updater

## `updater rollback` 和 `updater backups`

rollback-free = 已回到 { $build }；没有被保留不发的版本
rollback-held = 已回到 { $build }；{ $left } 被搁置，在您说明之前不再提供
rollback-held-unknown = 已回到 { $build }；离开的版本未知：{ $place } 及以前的版本在您说明之前不再提供
rollback-unverified = 警告：该备份由另一个程序生成；无人能保证它是完整的
rollback-altered = 警告：`{ $path }` 恢复为备份时的样子，与发布的内容不同
rollback-next = 下一步：启动客户端
rollback-next-unhold = 下一步：启动客户端；`updater unhold` 重新提供被搁置的版本
unhold-done =
    被搁置的版本重新提供
    下一步：`updater update`
unhold-nothing = 没有被搁置的版本
backups-none = 还没有备份：第一次更新时生成
backups-next = 下一步：`updater rollback` 回到最新的备份，`updater rollback --to NNN` 回到其他备份
backups-recognised = 按文件识别为 { $build }
backups-own = { $build }，生成于 { $made }
backups-adopted = 由另一个程序生成，收入于 { $made }；未经验证
backups-adopted-build = { $build }，由另一个程序生成，收入于 { $made }；未经验证
backups-exposed = 其他人可以更改它，因此不予采信：请设置 { $rights }
backups-foreign = 由另一个程序生成；`updater backups --adopt` 将其纳入轮换
backups-damaged = 已损坏（{ $why }）；`updater backups --adopt` 将其作为未经验证的备份保留
backups-not-a-folder = 不是文件夹：请移走它，否则无法更新

## `updater status` 和 `updater settings`

status-installed = { $product } { $build }（第 { $place } 号版本），跟随 { $channel }
status-nothing = 尚未安装任何版本，跟随 { $channel }
status-lost = 已安装 { $channel }，但 { $why }
status-from = 来自 { $address }（`{ $name }`），{ $known }
status-known = 截至 { $time }
status-never = 从未检查
status-counts = 备份：{ $backups }；与安装时不同的文件：{ $drift }
status-not-known = 未知
status-held = 第 { $place } 号版本被搁置：回退时离开了它（`updater unhold` 重新提供）
status-profile = 配置：{ $profile }，状态位于 { $state }；{ $promise }
status-promise-user = 可防范网络和服务器，不防范能写入此文件夹的人
status-promise-service = 可防范网络、服务器和使用这台计算机的人，他们无法更改此文件夹
status-unproved = 尚未证明能运行：`updater launch` 会观察一次启动
status-attempts = 第 { $place } 号版本连续 { $count } 次未能安装（`{ $code }`）
status-online = 信任：{ $roles } 的密钥在提供服务的机器上；拥有该机器的人可以签名
status-not-current = 已知信息不是最新的：{ $why }
status-trusted = 受信任的内容，供与其他站点比较：
status-next-check = 下一步：`updater check` 查询新版本
settings-not-set = （未设置）
settings-default = 默认
settings-role = 角色

## `updater self …`、`updater create-shortcut`

self-follows =
    此 updater 跟随 `{ $name }` 的 { $channel }
    下一步：`updater self update`
self-automatic-on = 每次 `check` 和 `update` 之前，updater 会先查找自身的新版本
self-automatic-off = updater 仅在要求时查找自身的新版本：`updater self update`
self-stays = updater 保持不变；未做任何更改
self-stays-build = updater { $build } 保持不变；未做任何更改
self-from-before = 之前的版本
self-became =
    updater 现为 { $build }
    下一步：`updater self status`
self-is = updater { $build }，跟随 { $channel }
self-is-by-hand = updater { $build }（手动放置），跟随 { $channel }
self-from = 来自 { $address }（`{ $name }`）
self-kept = 保存在 { $folder }：{ $backups } 个备份
self-when-asked = 仅在要求时查找自身的新版本
self-under-way = updater 的更换正在进行或曾被中断（{ $id }）；下一次运行会完成它
self-failed = 第 { $place } 号版本在此失败，不再尝试
self-held = 第 { $place } 号版本被搁置：回退时离开了它（`updater unhold --dir { $folder }`）
self-next = 下一步：`updater self check`
shortcut-made =
    `{ $file }` 通过 updater 启动客户端
    下一步：移除直接启动客户端的快捷方式
