### What whoever looks after a station reads: history, doctor, firewall, support bundle, schedule. Codes, names of checks, commands, file names and builds are never translated.

## `updater history`

history-nothing-yet = nothing has happened here yet
history-none-such = nothing of that has happened here
history-approved = approved by { $approver }
build-none = nothing
result-applied = applied
result-failed = failed
result-rolled-back = rolled-back
result-deferred = deferred
result-downloaded = downloaded
result-declined = declined
result-recovered = recovered
result-checked = checked

## `updater doctor`

# Of one length where it can be: they stand in a column.
verdict-good = good
verdict-warning = warning
verdict-bad = bad
doctor-unseen = it was not looked at
doctor-unseen-cure = see `state`
doctor-failed = nobody can say: { $why }
doctor-failed-cure = do what the message says, then run `updater doctor` again
doctor-state-good = what is known of this folder can be read
doctor-state-bad = what is known of this folder cannot be read: { $why }
doctor-state-cure = do what the message says; `updater install` with the install link makes the state anew, and the client stays
doctor-state-refuses = nothing new is accepted: { $why }
doctor-explain-cure = `updater explain { $code }` says what to do
doctor-rights-good = every file of the client can be replaced
doctor-rights-agent = the agent replaces the files of the client; who asks it needs no rights
doctor-rights-bad = { $count ->
    [one] { $count } file cannot be replaced: { $first }
   *[other] { $count } files cannot be replaced, first: { $first }
}
doctor-rights-cure = run the updater as the account that owns the folder, or let root install it with `--profile service`
doctor-space-good = { $free } bytes are free
doctor-space-short = { $free } bytes are free, the client has { $client }
doctor-space-bad-cure = make room on this disk: an update needs its new files and a backup
doctor-space-soon-cure = make room before a release that replaces all of it
doctor-space-files = more files that this disk takes: { $files }
doctor-space-files-cure = delete files that nobody needs: an update makes new ones
doctor-backups-good = the next backup has a place
doctor-backups-bad = the next backup has no place: { $why }
doctor-clock-good = { $now }, as the server has it
doctor-clock-alone = { $now }; no server said another time
doctor-clock-behind = the clock says { $now }, and the publisher signed at { $signed }, which is later
doctor-clock-cure = set the clock
doctor-clock-differs = the clock says { $now }, and the server { $server }
doctor-clock-differs-cure = set the clock, here or there
doctor-proxy-none = none is used
doctor-proxy-used = { $proxy } is used
doctor-server-good = it answers
doctor-server-unsafe = it was not asked, because the connection is not safe
doctor-server-bad = it does not answer as it should: { $why }
doctor-server-cure = look at the network, the proxy and the server; `updater print-firewall` says what must be reachable
doctor-tls-good = nothing is wrong with the connection
doctor-tls-bad = the connection is not safe: { $why }
doctor-tls-cure = if it is your own authority, name its file with `--ca-file`; else somebody stands between
doctor-tls-none = no connection came about
doctor-see-server = see `server`
doctor-trust-none = nothing is trusted yet
doctor-trust-none-cure = run `updater check`
doctor-trust-good = the first to expire is `{ $role }`, at { $expires }
doctor-trust-soon = `{ $role }` expires at { $expires }
doctor-trust-expired = `{ $role }` expired at { $expires }
doctor-trust-cure = run `updater check`; when that does not help, the publisher has to sign anew (`manifests refresh`)
doctor-schedule-good = `{ $name }` checks by itself
doctor-schedule-none = nothing checks by itself
doctor-schedule-none-cure = run `updater schedule install`
doctor-schedule-unknown = the system does not know `{ $name }`
doctor-schedule-unknown-cure = run `updater schedule install` again
doctor-schedule-unsaid = the system does not say whether it knows `{ $name }`
doctor-schedule-unsaid-cure = run `updater doctor` as whoever made the schedule
doctor-others-none = nobody else changes the files
doctor-drift = { $count ->
    [one] { $count } file is not as installed
   *[other] { $count } files are not as installed
}
doctor-drift-cure = `updater verify` lists them, `updater update` puts them back
doctor-agent-none = none is needed in the profile `user`
doctor-agent-good = it answers
doctor-agent-silent = it does not answer
doctor-agent-silent-cure = start it (docs/service.md): people without rights cannot update until then

## Another updater on the folder

second-updater-files = another program keeps changing this folder: { $files } had changed again, { $rounds ->
    [one] once
   *[other] { $rounds } times
} within a week, last found at { $time }
second-updater-backups = another program keeps changing this folder: { $backups } was made by another program (found at { $time })
second-updater-both = another program keeps changing this folder: { $files } had changed again, { $rounds ->
    [one] once
   *[other] { $rounds } times
} within a week, and { $backups } was made by another program, last found at { $time }
second-updater-programs = from the folder there ran then: { $programs }
second-updater-cure = two updaters on one folder undo each other, so switch the other one off; the own update of a SmartClient ends with `Enable=0` below `[UPDATE]` in the AppServer.ini of its server
second-updater-held = what it changes is not put back before { $until } (`updater update --retry` does)

## `updater print-firewall`

firewall-repository = the client's releases
firewall-self-update = the updater's own releases
firewall-proxy = the proxy
firewall-redirect = where a redirect may lead
firewall-unresolved = address not known

## `updater support-bundle`

bundle-written =
    { $file } holds { $parts }
    Secrets were removed; look through it before you send it.
    Next: fill in how-to-reproduce.txt, and send both
# What people fill in: S2-25, and the half of S2-28 that no machine knows.
bundle-form =
    What happens, and what should happen instead?


    How can it be made to happen again? One step per line, from a start of the client or of the updater.
    1.
    2.
    3.

    Since when? What was changed before that?


    Which stations have it, and which do not?


    What have you tried, and what came of it? (What the updater tried is in history.jsonl.)

## `updater schedule`

schedule-is = every { $every }, by { $kind } ({ $scope }): `{ $name }`
schedule-next = the next check is due at { $next }
schedule-done = Next: `updater schedule status`
schedule-left = nothing was registered: put the files where the system looks for them
schedule-failed =
    it is not registered: `{ $command }` failed ({ $why })
    Next: run that where it can be run, or choose another `--kind`
schedule-none = there is no schedule
schedule-none-next = Next: `updater schedule install`
schedule-removed = `{ $name }` is gone; checks happen when somebody asks
schedule-registered = registered
schedule-unregistered = not registered: `updater schedule install` does that again
schedule-registered-unknown = whether it is registered cannot be found out here
schedule-last = the last scheduled check began at { $last }
schedule-not-due = this period has had its check; the next is due at { $next }
schedule-not-again = the last check did not come through; it is not tried again before { $next }
trigger-off = `{ $trigger }` sets nothing off here: `updater settings triggers` says what does
