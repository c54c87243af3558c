### Что сообщают команды. Коды, команды, имена файлов и сборки не переводятся; то, что начинается с кода или стоит в конце после двоеточия, может быть техническим и остаётся на английском.

## Везде

report-warning = внимание: { $text }
report-kept = ваш собственный `{ $path }` сохранён
report-next-update = Дальше: `updater update`
build-unknown = неизвестная сборка

## `updater check`

check-nothing-installed = ничего не установлено
check-installed = установлено: { $product } { $build }
check-offer = { $at }; доступна { $build }
check-renumbered = { $at }, выпущено снова под номером { $number }
check-up-to-date = { $at }, ничего новее для этой станции нет
check-nothing-released = { $at }, выпусков для этой станции нет
check-passed-over = выпуск { $number } ({ $build }): { $why }
check-unknown-build = неизвестная сборка
check-drift = файлов не таких, какими были установлены: { $count } (их перечислит `updater verify`)

## `updater update` и всё, что приносит выпуск

update-deadline-over = его срок истёк ({ $at }): следующий запуск или проверка по расписанию установит его без вопроса
update-deadline = с наступлением срока ({ $at }): следующий запуск или проверка по расписанию установит его без вопроса
update-nothing = { $at }: версия актуальна, ничего не изменено
update-plan = { $from } → { $to }: получить байт: { $bytes }, записать файлов: { $files }
update-plan-set = , исправить дат: { $files }
update-plan-removed = , удалить: { $files }
update-plan-backup = , с резервной копией
update-plan-kept = сохраняет ваш собственный `{ $path }`
update-plan-merged = добавляет новое в ваш собственный `{ $path }`
update-planned = Ничего не изменено. Дальше: `updater update`
update-not-agreed = Ничего не изменено. Дальше: `updater update --yes`
update-two-acts = Ничего не изменено. Дальше: `updater download` загрузит, `updater apply` установит
update-ignored = Ничего не изменено, и этот выпуск больше не предлагается; любой новее предлагается. `updater ignore --undo` отменит это
update-needs-admin = Ничего не изменено: согласиться должен тот, кто отвечает за эту папку
update-downloaded =
    Загружена { $build }, получено байт: { $bytes }; { $at } без изменений
    Дальше: `updater apply` установит её
update-deferred = { $build } готова и ждёт: клиент используется, ничего в нём не изменено
update-unseen = файл держит программа, которую не видно
update-deferred-next = Дальше: закройте клиент; тогда `updater update` установит её, а с `--in-use wait` дождётся
update-returned =
    { $build } не заработала: { $why }
    снова { $at }; { $build } не берётся, пока не выйдет выпуск новее
    Дальше: сообщите издателю; в `updater history` записано всё
update-done-updated = обновлено до { $at }: записано файлов: { $files }, получено байт: { $bytes }
update-done-installed = установлено { $at }: записано файлов: { $files }, получено байт: { $bytes }
update-done-repaired = исправлено { $at }: записано файлов: { $files }, получено байт: { $bytes }
update-done-backup = ; что было раньше, лежит в { $backup }
update-merged = в вашем собственном `{ $path }` есть новое
update-next-rollback = Дальше: запустите клиент; `updater rollback` вернёт назад
update-next-status = Дальше: запустите клиент; `updater status` скажет, что здесь есть
apply-nothing =
    к установке ничего не готово; ничего не изменено
    Дальше: `updater download` загрузит то, что предлагается
install-set = задано { $key } = { $value }

## `updater ignore`, `updater verify`, `updater uninstall`

ignore-done = { $build } (выпуск { $number }) пропускается: больше не предлагается, а любой новее предлагается
ignore-next = Дальше: `updater ignore --undo` предложит снова
ignore-undone =
    пропущенное предлагается снова
    Дальше: `updater check`
ignore-none = ничего из этого не пропускалось
ignore-nothing =
    здесь не предлагается ничего, что можно пропустить
    Дальше: `updater check` узнает, что нового
verify-whole = все файлы ({ $files }) такие, как в { $at }
verify-differ =
    отличается файлов: { $count } из { $files }
    Дальше: `updater verify --repair`
uninstall-done = собственные файлы updater удалены; клиент остаётся как есть
uninstall-backups = резервные копии остаются ({ $count }): удалите папки bkp_remote.*, когда они станут не нужны
uninstall-strange = `{ $name }` остаётся: неизвестно, что это создал updater

## `updater rollback` и `updater backups`

rollback-free = снова { $build }; ничего не удерживается
rollback-held = снова { $build }; { $left } удерживается и не предлагается, пока вы не скажете
rollback-held-unknown = снова { $build }; что было оставлено, неизвестно: ничего вплоть до { $place } не предлагается, пока вы не скажете
rollback-unverified = внимание: резервную копию сделала другая программа; была ли она целой, не скажет никто
rollback-altered = внимание: `{ $path }` вернулся таким, каким был, а не таким, как в выпуске
rollback-next = Дальше: запустите клиент
rollback-next-unhold = Дальше: запустите клиент; `updater unhold` снова предложит то, что удерживается
unhold-done =
    то, что удерживалось, предлагается снова
    Дальше: `updater update`
unhold-nothing = ничего не удерживалось
backups-none = резервных копий ещё нет: первую сделает первое обновление
backups-next = Дальше: `updater rollback` вернёт к самой новой, `updater rollback --to NNN` к другой
backups-recognised = { $build } по своим файлам
backups-own = { $build }, создана { $made }
backups-adopted = создана другой программой, принята { $made }; не проверена
backups-adopted-build = { $build }, создана другой программой, принята { $made }; не проверена
backups-exposed = её могут изменить другие, поэтому ей не верят: дайте ей { $rights }
backups-foreign = создана другой программой; `updater backups --adopt` примет её в ротацию
backups-damaged = повреждена ({ $why }); `updater backups --adopt` сохранит её как непроверенную
backups-not-a-folder = это не папка: уберите её, иначе обновить нельзя

## `updater status` и `updater settings`

status-installed = { $product } { $build } (выпуск { $place }), следует за { $channel }
status-nothing = пока ничего не установлено, следует за { $channel }
status-lost = { $channel } установлен, но { $why }
status-from = из { $address } (`{ $name }`), { $known }
status-known = известно на { $time }
status-never = ещё не проверялось
status-counts = резервных копий: { $backups }; файлов не таких, какими были установлены: { $drift }
status-not-known = неизвестно
status-held = выпуск { $place } удерживается: его оставил возврат (`updater unhold` предложит его снова)
status-profile = профиль: { $profile }, состояние в { $state }; { $promise }
status-promise-user = защищает от сети и сервера, но не от тех, кто может писать в эту папку
status-promise-service = защищает от сети, сервера и людей за этим компьютером: менять эту папку они не могут
status-unproved = ещё не показал, что работает: `updater launch` наблюдает за запуском
status-attempts = выпуск { $place } не удалось установить подряд раз: { $count } (`{ $code }`)
status-online = доверие: ключи { $roles } лежат на сервере; подписать может тот, кто им владеет
status-not-current = известное не актуально: { $why }
status-trusted = доверенное, для сравнения с другими станциями:
status-next-check = Дальше: `updater check` узнает, что нового
settings-not-set = (не задано)
settings-default = по умолчанию
settings-role = роль

## `updater self …`, `updater create-shortcut`

self-follows =
    этот updater следует за { $channel } издателя `{ $name }`
    Дальше: `updater self update`
self-automatic-on = перед каждым `check` и `update` updater ищет более новую версию себя
self-automatic-off = updater ищет более новую версию себя, когда попросят: `updater self update`
self-stays = updater остаётся прежним; ничего не изменено
self-stays-build = updater { $build } остаётся; ничего не изменено
self-from-before = прежний
self-became =
    теперь updater — { $build }
    Дальше: `updater self status`
self-is = updater { $build }, следует за { $channel }
self-is-by-hand = updater { $build } (положен сюда вручную), следует за { $channel }
self-from = из { $address } (`{ $name }`)
self-kept = хранится в { $folder }, резервных копий: { $backups }
self-when-asked = более новую версию себя он ищет, только когда попросят
self-under-way = замена updater идёт или была прервана ({ $id }); её завершит следующий запуск
self-failed = выпуск { $place } здесь не заработал и больше не пробуется
self-held = выпуск { $place } удерживается: его оставил возврат (`updater unhold --dir { $folder }`)
self-next = Дальше: `updater self check`
shortcut-made =
    `{ $file }` запускает клиент через updater
    Дальше: удалите ярлыки, которые запускают сам клиент
