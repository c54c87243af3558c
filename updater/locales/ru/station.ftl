### Что видят люди за станцией. Коды, команды, имена файлов и сборки не переводятся.

## Обновление, которое не удалось (S3-23, S3-24)

# S3-23: Remote — прежнее имя клиента, по нему эту фразу и знают.
failure-fixed = Не удалось автоматически обновить Remote
failure-to-do = Что делать: { $cure }
failure-in-history = Администратор найдёт эту попытку в `updater history`.
failure-waits = Администратор найдёт эту попытку в `updater history`; сообщение о ней сохранено для сервера.
failure-not-recorded = Записи об этом здесь не видно: сообщите администратору.

## Сборки, которые не подходят друг к другу (S3-10)

incompatible-question = Версии Smart Client и Application Server несовместимы. Обновить Smart Client?
incompatible-builds = Smart Client: { $client }, Application Server: { $server }
incompatible-disabled = Smart Client { $client } несовместим с Application Server { $server }, а обновления здесь отключены: попросите у администратора подходящий Smart Client.
incompatible-declined = Smart Client не запущен: он несовместим с Application Server. Ничего не изменено.
needs-both = Нужны Smart Client { $client } или новее и Application Server { $server } или новее: обновить надо оба.
client-newer = Smart Client { $client } новее, чем Application Server { $server }; это допустимо.
builds-incomparable = Сборки { $client } (Smart Client) и { $server } (Application Server) нельзя сравнить: обратитесь к администратору.

## Новости

update-available = Доступно обновление: { $product } { $build }
update-up-to-date = Установлена актуальная версия: { $product } { $build }
update-done = Обновление установлено: { $product } { $build }
update-installed = Установлена версия { $build }
update-ready = Версия { $build } готова и будет установлена, когда клиент закроют
update-required = Это обновление нельзя пропустить.
needs-subscription = Для обновлений нужна активная подписка. Установленная версия продолжает работать.
no-link = Нет связи с сервером обновлений. Установленная версия продолжает работать.

## Вопросы и кнопки

consent-question = Есть новая версия. Обновить?
consent-yes = Обновить
consent-no = Отмена
consent-ignore = Пропустить эту версию
# Before what a terminal asks.
consent-time = Без ответа в течение { $seconds } с всё останется как есть.
# How a terminal asks, and the words that mean yes there; `y` and `yes` do everywhere.
consent-keys = [д/Н]
consent-words = д да
consent-ignore-keys = (п: пропустить эту версию)
consent-ignore-words = п пропустить
consent-later = Позже
action-update = Обновить
action-check = Проверить обновления

## Сроки

deadline-warning = { $minutes ->
    [one] Обновление начнётся через { $minutes } минуту. Вопроса уже не будет; работающую программу никто не закроет.
    [few] Обновление начнётся через { $minutes } минуты. Вопроса уже не будет; работающую программу никто не закроет.
   *[other] Обновление начнётся через { $minutes } минут. Вопроса уже не будет; работающую программу никто не закроет.
}
deadline-now = Обновление устанавливается прямо сейчас.

## Шаги

step-check = проверка обновлений
step-scan = сравнение файлов
step-fetch = загрузка
step-stage = подготовка файлов
step-back-up = резервное копирование
step-swap = установка
step-prove = проверка новой версии
step-recover = завершение прошлого обновления
starting-client = запуск клиента

## `updater explain`

explain-more = Связанные коды: { $codes }. Страница: { $page }
explain-one = `updater explain CODE` назовёт причину и скажет, что делать.
explain-unknown = У этих программ нет кода `{ $code }`.
explain-all = Все коды показывает `updater explain`.
