### Что читает тот, кто обслуживает станцию: история, диагностика, межсетевой экран, пакет для поддержки, расписание. Коды, имена проверок, команды, имена файлов и сборки не переводятся.

## `updater history`

history-nothing-yet = здесь ещё ничего не происходило
history-none-such = ничего подобного здесь не происходило
history-approved = одобрил { $approver }
build-none = ничего
result-applied = установлено
result-failed = не удалось
result-rolled-back = возвращено
result-deferred = отложено
result-downloaded = загружено
result-declined = отклонено
result-recovered = восстановлено
result-checked = проверено

## `updater doctor`

# По возможности одной длины: они стоят в столбце.
verdict-good = хорошо
verdict-warning = внимание
verdict-bad = плохо
doctor-unseen = это не проверялось
doctor-unseen-cure = смотрите `state`
doctor-failed = узнать не удалось: { $why }
doctor-failed-cure = сделайте то, что сказано в сообщении, и снова запустите `updater doctor`
doctor-state-good = известное об этой папке читается
doctor-state-bad = известное об этой папке не читается: { $why }
doctor-state-cure = сделайте то, что сказано в сообщении; `updater install` со ссылкой установки создаст состояние заново, а клиент останется
doctor-state-refuses = ничего нового не принимается: { $why }
doctor-explain-cure = что делать, скажет `updater explain { $code }`
doctor-rights-good = все файлы клиента можно заменить
doctor-rights-agent = файлы клиента заменяет агент; тем, кто к нему обращается, права не нужны
doctor-rights-bad = { $count ->
    [one] { $count } файл нельзя заменить, первый: { $first }
    [few] { $count } файла нельзя заменить, первый: { $first }
   *[other] { $count } файлов нельзя заменить, первый: { $first }
}
doctor-rights-cure = запустите updater от имени владельца папки или попросите root установить его с `--profile service`
doctor-space-good = свободно байт: { $free }
doctor-space-short = свободно байт: { $free }, клиент занимает { $client }
doctor-space-bad-cure = освободите место на этом диске: обновлению нужны новые файлы и резервная копия
doctor-space-soon-cure = освободите место до выпуска, который заменит всё
doctor-space-files = файлов этот диск ещё примет: { $files }
doctor-space-files-cure = удалите ненужные файлы: обновление создаёт новые
doctor-backups-good = место для следующей резервной копии есть
doctor-backups-bad = для следующей резервной копии нет места: { $why }
doctor-clock-good = { $now }, как и на сервере
doctor-clock-alone = { $now }; другого времени ни один сервер не назвал
doctor-clock-behind = часы показывают { $now }, а издатель подписал в { $signed }, то есть позже
doctor-clock-cure = переведите часы
doctor-clock-differs = часы показывают { $now }, а сервер — { $server }
doctor-clock-differs-cure = переведите часы, здесь или там
doctor-proxy-none = не используется
doctor-proxy-used = используется { $proxy }
doctor-server-good = отвечает
doctor-server-unsafe = его не спрашивали: соединение небезопасно
doctor-server-bad = отвечает не так, как должен: { $why }
doctor-server-cure = проверьте сеть, прокси и сервер; `updater print-firewall` говорит, что должно быть доступно
doctor-tls-good = с соединением всё в порядке
doctor-tls-bad = соединение небезопасно: { $why }
doctor-tls-cure = если это ваш собственный центр сертификации, укажите его файл в `--ca-file`; иначе кто-то стоит посередине
doctor-tls-none = соединения не было
doctor-see-server = смотрите `server`
doctor-trust-none = пока нет ничего доверенного
doctor-trust-none-cure = запустите `updater check`
doctor-trust-good = первым истекает `{ $role }`: { $expires }
doctor-trust-soon = `{ $role }` истекает { $expires }
doctor-trust-expired = срок `{ $role }` истёк { $expires }
doctor-trust-cure = запустите `updater check`; если не поможет, издатель должен подписать заново (`manifests refresh`)
doctor-schedule-good = `{ $name }` проверяет сам
doctor-schedule-none = само собой ничего не проверяется
doctor-schedule-none-cure = запустите `updater schedule install`
doctor-schedule-unknown = система не знает `{ $name }`
doctor-schedule-unknown-cure = запустите `updater schedule install` ещё раз
doctor-schedule-unsaid = система не говорит, знает ли она `{ $name }`
doctor-schedule-unsaid-cure = запустите `updater doctor` от имени того, кто создал расписание
doctor-others-none = больше никто файлы не меняет
doctor-drift = { $count ->
    [one] { $count } файл не такой, каким был установлен
    [few] { $count } файла не такие, какими были установлены
   *[other] { $count } файлов не такие, какими были установлены
}
doctor-drift-cure = `updater verify` их перечислит, `updater update` вернёт
doctor-agent-none = в профиле `user` он не нужен
doctor-agent-good = отвечает
doctor-agent-silent = не отвечает
doctor-agent-silent-cure = запустите его (docs/service.md): до тех пор люди без прав не могут обновлять

## Другая программа обновления в папке

second-updater-files = другая программа всё время меняет эту папку: { $files } оказались чужими, { $rounds ->
    [one] { $rounds } раз
    [few] { $rounds } раза
   *[other] { $rounds } раз
} за неделю, последний раз замечено { $time }
second-updater-backups = другая программа всё время меняет эту папку: { $backups } создана другой программой (замечено { $time })
second-updater-both = другая программа всё время меняет эту папку: { $files } оказались чужими, { $rounds ->
    [one] { $rounds } раз
    [few] { $rounds } раза
   *[other] { $rounds } раз
} за неделю, и { $backups } создана другой программой, последний раз замечено { $time }
second-updater-programs = из папки тогда работали: { $programs }
second-updater-cure = две программы обновления в одной папке отменяют работу друг друга, поэтому отключите другую; собственное обновление SmartClient отключает `Enable=0` в `[UPDATE]` файла AppServer.ini его сервера
second-updater-held = то, что она меняет, не возвращается до { $until } (`updater update --retry` вернёт)

## `updater print-firewall`

firewall-repository = выпуски клиента
firewall-self-update = выпуски самого updater
firewall-proxy = прокси
firewall-redirect = куда может вести перенаправление
firewall-unresolved = адрес неизвестен

## `updater support-bundle`

bundle-written =
    { $file } содержит { $parts }
    Секреты удалены; просмотрите файл, прежде чем отправить.
    Дальше: заполните how-to-reproduce.txt и отправьте оба
# What people fill in: S2-25, and the half of S2-28 that no machine knows.
bundle-form =
    Что происходит и что должно происходить?


    Как это повторить? По шагу на строку, начиная с запуска клиента или updater.
    1.
    2.
    3.

    С каких пор? Что меняли перед этим?


    На каких станциях это есть, а на каких нет?


    Что вы пробовали и что вышло? (Что пробовал updater, записано в history.jsonl.)

## `updater schedule`

schedule-is = каждые { $every }, через { $kind } ({ $scope }): `{ $name }`
schedule-next = следующая проверка: { $next }
schedule-done = Дальше: `updater schedule status`
schedule-left = ничего не зарегистрировано: положите файлы туда, где их ищет система
schedule-failed =
    не зарегистрировано: `{ $command }` завершилась ошибкой ({ $why })
    Дальше: выполните её там, где это можно, или выберите другой `--kind`
schedule-none = расписания нет
schedule-none-next = Дальше: `updater schedule install`
schedule-removed = `{ $name }` больше нет; проверка бывает, когда её попросят
schedule-registered = зарегистрировано
schedule-unregistered = не зарегистрировано: `updater schedule install` зарегистрирует снова
schedule-registered-unknown = зарегистрировано ли, здесь узнать нельзя
schedule-last = последняя проверка по расписанию началась { $last }
schedule-not-due = в этом периоде проверка уже была; следующая: { $next }
schedule-not-again = последняя проверка не удалась; следующая попытка не раньше { $next }
trigger-off = `{ $trigger }` здесь ничего не запускает: что запускает, говорит `updater settings triggers`
