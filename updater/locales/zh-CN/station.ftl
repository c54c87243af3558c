### 站点用户看到的文字。代码、命令、文件名和版本号一律不翻译。

## 未能完成的更新 (S3-23, S3-24)

# S3-23：Remote 是客户端的旧名，现场的人都认得这句话。
failure-fixed = 无法自动更新 Remote
failure-to-do = 处理方法：{ $cure }
failure-in-history = 管理员可用 `updater history` 查看本次尝试。
failure-waits = 管理员可用 `updater history` 查看本次尝试；相关报告已为服务器保留。
failure-not-recorded = 此处看不到相关记录：请告知管理员。

## 互不兼容的版本 (S3-10)

incompatible-question = Smart Client 与 Application Server 的版本不兼容。是否升级 Smart Client？
incompatible-builds = Smart Client：{ $client }，Application Server：{ $server }
incompatible-disabled = Smart Client { $client } 与 Application Server { $server } 不兼容，而此处已关闭更新：请向管理员索取匹配的 Smart Client。
incompatible-declined = Smart Client 未启动：它与 Application Server 不兼容。未做任何更改。
needs-both = 需要 Smart Client { $client } 或更高版本以及 Application Server { $server } 或更高版本：两者都必须升级。
client-newer = Smart Client { $client } 比 Application Server { $server } 新，这是允许的。
builds-incomparable = 版本 { $client }（Smart Client）与 { $server }（Application Server）无法比较：请咨询管理员。

## 消息

update-available = { $product } 有新版本 { $build }
update-up-to-date = { $product } { $build } 已是最新版本
update-done = { $product } 已升级到 { $build }
update-installed = 已安装 { $build }
update-ready = { $build } 已就绪，将在客户端关闭后安装
update-required = 此更新不能跳过。
needs-subscription = 更新需要有效的订阅。已安装的版本可继续使用。
no-link = 无法连接更新服务器。已安装的版本可继续使用。

## 提问与按钮

# 移动终端登录界面上的原文，一字不改。
consent-question = 有新版本，是否升级？
consent-yes = 升级
consent-no = 取消
consent-ignore = 忽略此版本
# Before what a terminal asks.
consent-time = { $seconds } 秒内没有回答，则一切保持不变。
# How a terminal asks, and the words that mean yes there; `y` and `yes` do everywhere.
consent-keys = [y/N]（y = 是）
consent-words = 是 升级
consent-ignore-keys = （i = 忽略此版本）
consent-ignore-words = 忽略
consent-later = 稍后
action-update = 升级
action-check = 检查更新

## 期限

deadline-warning = 更新将在 { $minutes } 分钟后安装，届时不再询问；正在使用的程序不会被关闭。
deadline-now = 正在安装更新。

## 步骤

step-check = 检查更新
step-scan = 比较文件
step-fetch = 下载
step-stage = 准备文件
step-back-up = 备份
step-swap = 安装
step-prove = 试运行新版本
step-recover = 完成上一次更新
starting-client = 启动客户端

## `updater explain`

explain-more = 相关代码：{ $codes }。页面：{ $page }
explain-one = `updater explain CODE` 说明某个代码的原因和处理方法。
explain-unknown = 这些程序没有代码 `{ $code }`。
explain-all = `updater explain` 列出所有代码。
