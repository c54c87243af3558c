### What people at a station see. Codes, commands, file names and builds are never translated.

## An update that could not be done (S3-23, S3-24)

# S3-23: `Remote` is what the client was called; sites know the sentence by that name.
failure-fixed = Remote could not be updated automatically
failure-to-do = What to do: { $cure }
failure-in-history = The administrator finds this attempt in `updater history`.
failure-waits = The administrator finds this attempt in `updater history`; a report of it is kept for the server.
failure-not-recorded = No record of this can be seen here: please tell your administrator.

## Builds that do not go together (S3-10)

incompatible-question = Smart Client and Application Server are of incompatible versions. Do you want to update Smart Client?
incompatible-builds = Smart Client: { $client }, Application Server: { $server }
incompatible-disabled = Smart Client { $client } does not go together with Application Server { $server }, and updates are switched off here: ask your administrator for the matching Smart Client.
incompatible-declined = Smart Client was not started: it does not go together with Application Server. Nothing was changed.
needs-both = This needs Smart Client { $client } or newer and Application Server { $server } or newer: both have to be brought up to date.
client-newer = Smart Client { $client } is newer than Application Server { $server }; that is allowed.
builds-incomparable = The builds { $client } (Smart Client) and { $server } (Application Server) cannot be compared: ask your administrator.

## News

update-available = { $product } { $build } is available
update-up-to-date = { $product } { $build } is up to date
update-done = { $product } is now at { $build }
update-installed = { $build } is installed
update-ready = { $build } is ready and is installed when the client is closed
update-required = This update cannot be left out.
needs-subscription = Updates need an active subscription. What is installed keeps working.
no-link = The update server cannot be reached. What is installed keeps working.

## Questions and buttons

consent-question = There is a new version. Update?
consent-yes = Update
consent-no = Cancel
consent-ignore = Ignore this version
# Before what a terminal asks.
consent-time = Without an answer within { $seconds } s everything stays as it is.
# How a terminal asks, and the words that mean yes there; `y` and `yes` do everywhere.
consent-keys = [y/N]
consent-words = y yes
consent-ignore-keys = (i: ignore this version)
consent-ignore-words = i ignore
consent-later = Later
action-update = Update
action-check = Check for updates

## Deadlines

deadline-warning = { $minutes ->
    [one] The update is installed in { $minutes } minute. Nobody is asked then; a client in use is waited for.
   *[other] The update is installed in { $minutes } minutes. Nobody is asked then; a client in use is waited for.
}
deadline-now = The update is being installed now.

## Steps of a run

step-check = checking for updates
step-scan = comparing files
step-fetch = downloading
step-stage = preparing files
step-back-up = making a backup
step-swap = installing
step-prove = trying the new version
step-recover = finishing an earlier update
starting-client = starting the client

## `updater explain`

explain-more = Related: { $codes }. Page: { $page }
explain-one = `updater explain CODE` tells the cause of one and what to do.
explain-unknown = `{ $code }` is no code of these programs.
explain-all = `updater explain` lists all codes.
