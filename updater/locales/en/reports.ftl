### What the commands report. Codes, commands, file names and builds are never translated; what begins with a code or stands behind a colon at the end can be technical, and stays in English.

## Everywhere

report-warning = warning: { $text }
report-kept = kept your own `{ $path }`
report-next-update = Next: `updater update`
build-unknown = an unknown build

## `updater check`

check-nothing-installed = nothing is installed
check-installed = { $product } { $build } is installed
check-offer = { $at }; { $build } is available
check-renumbered = { $at }, released again as number { $number }
check-up-to-date = { $at }, and nothing newer is for this station
check-nothing-released = { $at }, and no release is for this station
check-passed-over = release { $number } ({ $build }): { $why }
check-unknown-build = unknown build
check-drift = { $count ->
    [one] { $count } file is not as installed
   *[other] { $count } files are not as installed
} (`updater verify` lists them)

## `updater update` and what else brings a release

update-deadline-over = its deadline is over ({ $at }): the next start or scheduled check installs it without a question
update-deadline = from its deadline on ({ $at }): the next start or scheduled check installs it without a question
update-nothing = { $at } is up to date; nothing was changed
update-plan = { $from } → { $to }: { $bytes } bytes to receive, { $files ->
    [one] { $files } file
   *[other] { $files } files
} to write
update-plan-set = , { $files } to re-date
update-plan-removed = , { $files } to remove
update-plan-backup = , with a backup
update-plan-kept = keeps your own `{ $path }`
update-plan-merged = adds what is new to your own `{ $path }`
update-planned = Nothing was changed. Next: `updater update`
update-not-agreed = Nothing was changed. Next: `updater update --yes`
update-two-acts = Nothing was changed. Next: `updater download` fetches it, `updater apply` installs it
update-ignored = Nothing was changed, and it is not offered again; any newer release is. `updater ignore --undo` takes that back
update-needs-admin = Nothing was changed: whoever answers for this folder has to agree to it
update-downloaded =
    { $build } is downloaded, { $bytes } bytes received; { $at } is as it was
    Next: `updater apply` installs it
update-deferred = { $build } is ready and waits: the client is in use, and nothing of it was changed
update-unseen = a file is held by a program that cannot be seen
update-deferred-next = Next: close the client; `updater update` then applies it, or waits for it with `--in-use wait`
update-returned =
    { $build } did not live: { $why }
    back at { $at }; { $build } is not taken again until a newer release comes
    Next: tell its publisher; `updater history` has it all
update-done-updated = updated { $at }: { $files ->
    [one] { $files } file
   *[other] { $files } files
} written, { $bytes } bytes received
update-done-installed = installed { $at }: { $files ->
    [one] { $files } file
   *[other] { $files } files
} written, { $bytes } bytes received
update-done-repaired = repaired { $at }: { $files ->
    [one] { $files } file
   *[other] { $files } files
} written, { $bytes } bytes received
update-done-backup = ; what was here before is in { $backup }
update-merged = your own `{ $path }` has what is new
update-next-rollback = Next: start the client; `updater rollback` goes back
update-next-status = Next: start the client; `updater status` says what is here
apply-nothing =
    nothing is ready to be installed; nothing was changed
    Next: `updater download` fetches what is offered
install-set = set { $key } = { $value }

## `updater ignore`, `updater verify`, `updater uninstall`

ignore-done = { $build } (release { $number }) is ignored: it is not offered any more, and any newer release is
ignore-next = Next: `updater ignore --undo` offers it again
ignore-undone =
    what was ignored is offered again
    Next: `updater check`
ignore-none = nothing of that was ignored
ignore-nothing =
    nothing is offered here that could be ignored
    Next: `updater check` asks what is new
verify-whole = { $files ->
    [one] the { $files } file is as { $at } has it
   *[other] all { $files } files are as { $at } has them
}
verify-differ =
    { $count } of { $files } { $files ->
        [one] file
       *[other] files
    } { $count ->
        [one] differs
       *[other] differ
    }
    Next: `updater verify --repair`
uninstall-done = the updater's own files are gone; the client stays as it is
uninstall-backups = { $count ->
    [one] { $count } backup stays: remove the folder bkp_remote.* when you do not need it
   *[other] { $count } backups stay: remove the folders bkp_remote.* when you do not need them
}
uninstall-strange = `{ $name }` stays: it is not known to be the updater's

## `updater rollback` and `updater backups`

rollback-free = back at { $build }; nothing is held
rollback-held = back at { $build }; { $left } is held and not offered again until you say so
rollback-held-unknown = back at { $build }; what was left is not known: nothing up to { $place } is offered again until you say so
rollback-unverified = warning: the backup was made by another program; nobody can say that it was whole
rollback-altered = warning: `{ $path }` is back as it was, which is not as the release has it
rollback-next = Next: start the client
rollback-next-unhold = Next: start the client; `updater unhold` offers what is held again
unhold-done =
    what was held is offered again
    Next: `updater update`
unhold-nothing = nothing was held
backups-none = there are no backups yet: the first update makes one
backups-next = Next: `updater rollback` goes back to the newest, `updater rollback --to NNN` to another
backups-recognised = { $build } by its files
backups-own = { $build }, made { $made }
backups-adopted = made by another program, taken in { $made }; unverified
backups-adopted-build = { $build }, made by another program, taken in { $made }; unverified
backups-exposed = can be changed by others, so it is not believed: give it { $rights }
backups-foreign = made by another program; `updater backups --adopt` takes it into the rotation
backups-damaged = damaged ({ $why }); `updater backups --adopt` keeps it as unverified
backups-not-a-folder = is not a folder: move it away, or no update can be made

## `updater status` and `updater settings`

status-installed = { $product } { $build } (release { $place }), following { $channel }
status-nothing = nothing is installed yet, following { $channel }
status-lost = { $channel } is installed, but { $why }
status-from = from { $address } (`{ $name }`), { $known }
status-known = known as of { $time }
status-never = never checked
status-counts = backups: { $backups }; files not as installed: { $drift }
status-not-known = not known
status-held = release { $place } is held: a rollback left it (`updater unhold` offers it again)
status-profile = profile: { $profile }, state in { $state }; { $promise }
status-promise-user = protects against network and server, not against whoever can write this folder
status-promise-service = protects against network, server and the people at this computer, who cannot change this folder
status-unproved = it has not shown yet that it lives: `updater launch` watches a start
status-attempts = release { $place } could not be applied { $count ->
    [one] once
   *[other] { $count } times in a row
} (`{ $code }`)
status-online = trust: the keys of { $roles } lie on the machine that serves; whoever owns it can sign
status-not-current = what is known is not current: { $why }
status-trusted = trusted, to be compared with other stations:
status-next-check = Next: `updater check` asks what is new
settings-not-set = (not set)
settings-default = default
settings-role = role

## `updater self …`, `updater create-shortcut`

self-follows =
    this updater follows { $channel } of `{ $name }`
    Next: `updater self update`
self-automatic-on = before each `check` and `update` the updater looks for a newer one of itself
self-automatic-off = the updater looks for a newer one of itself when asked: `updater self update`
self-stays = the updater stays; nothing was changed
self-stays-build = updater { $build } stays; nothing was changed
self-from-before = from before
self-became =
    the updater is now { $build }
    Next: `updater self status`
self-is = updater { $build }, following { $channel }
self-is-by-hand = updater { $build } (put here by hand), following { $channel }
self-from = from { $address } (`{ $name }`)
self-kept = kept in { $folder }: { $backups ->
    [one] { $backups } backup
   *[other] { $backups } backups
}
self-when-asked = it looks for a newer one of itself only when asked
self-under-way = a change of the updater is under way or was cut off ({ $id }); the next run ends it
self-failed = release { $place } failed here and is not tried again
self-held = release { $place } is held: a rollback left it (`updater unhold --dir { $folder }`)
self-next = Next: `updater self check`
shortcut-made =
    `{ $file }` starts the client through the updater
    Next: remove shortcuts that start the client itself
