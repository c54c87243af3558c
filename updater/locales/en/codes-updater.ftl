### Codes of `updater`. A code never changes its meaning.

## What a check or an update says
## docs/stations.md

code-update-available = A newer release is available
    .why = The publisher has released a build for this station that is not installed yet.
    .cure = Run `updater update`. `updater update --dry-run` says before what it would do.
code-up-to-date = Nothing newer is for this station
    .why = The newest release that is meant for this station is installed.
    .cure = There is nothing to do.
code-renumbered = The installed files were released again under a higher number
    .why = The publisher released the very same files once more; only the record of the station changes.
    .cure = Run `updater update` at any time; no file of the client changes.
code-nothing-released = No release is for this station
    .why = The channel has no release for this system, or every release in it is passed over for a reason that `updater status --explain` names.
    .cure = Run `updater status --explain`. If nothing is listed there, ask the publisher whether the product was published for this system, variant and channel.
code-nothing-to-do = Everything is as it should be
    .why = The installed release is the newest for this station, and all its files are as they were installed.
    .cure = There is nothing to do.
code-planned = This is only what an update would do
    .why = The command was a dry run; nothing was changed.
    .cure = Run `updater update` to do it.
code-needs-consent = A new release waits for somebody to agree
    .why = Nobody was there to be asked, and an update is not installed without consent.
    .cure = Run `updater update` at a terminal and answer, or `updater update --yes`.
code-declined = Somebody said no to the update
    .why = The question whether to update was answered with no. Nothing was changed.
    .cure = Run `updater update` again when the time is right.
code-required = The release cannot be ignored
    .why = What is installed does not fit its server, is below a security floor or has a security fault, the time until which the release could be put off is over, or nothing is installed yet.
    .cure = Install it with `updater update`; it is offered until then.
code-two-acts = Here a release is downloaded and installed in two acts
    .why = The station is set to `consent = "manual"`: nothing comes by itself, and nothing does both at once. Nothing was changed.
    .cure = Run `updater download`, and `updater apply` when the time is right.
code-downloaded = A new release is downloaded and waits to be installed
    .why = Everything of it is here and verified. The installed client is as it was.
    .cure = Run `updater apply`.
code-nothing-waits = Nothing waits to be installed
    .why = No release was downloaded, or the one that was is not offered to this station any more.
    .cure = Run `updater download` to fetch what is offered.

## Client and server
## docs/stations.md#the-two-moments-of-a-start

code-incompatible = The client does not go together with the application server
    .why = The builds of client and server do not fit by what the publisher signed, and nobody agreed to have the client replaced. It was not started, and nothing was changed.
    .cure = Agree to the update at the next start, or have whoever looks after this computer run `updater update --yes`. Where no release fits the server, only whoever looks after the server can help. `updater settings server_build` says which server is meant, if the channel does not.
code-needs-both-minimums = Client and application server both have to be of a later build
    .why = The release names a lowest build of both sides, and one of them is below it.
    .cure = Bring the application server and the client up to date, the server first.
code-cannot-be-compared = Nobody can say whether client and application server go together
    .why = Their builds are in two notations, and nothing that is signed says whether they fit. They are not guessed.
    .cure = Correct `updater settings server_build`, or ask the publisher to say which servers the client works with.

## Why a release is passed over
## docs/architecture.md#from-the-server-to-a-running-client

code-held = The release is held on this station
    .why = Somebody went back from it with `updater rollback`, so it is not offered again.
    .cure = `updater unhold` offers it again; any newer release is offered by itself.
code-blocked = The release did not live on this station before
    .why = It was installed here, did not start or did not stay alive, and was taken back.
    .cure = Tell its publisher and wait for the next release. After mending the cause here, `updater update --retry` tries it again.
code-quarantined = The release could not be applied several times in a row
    .why = Applying it failed three times, so it is left alone and costs neither line nor disk any more.
    .cure = Look at the reason in `updater history`, mend it, then run `updater update --retry`.
code-ignored = Somebody passes over the release here
    .why = Somebody at this station chose to ignore this version, so it is not offered any more.
    .cure = `updater ignore --undo` offers it again; any newer release is offered by itself.
code-withdrawn = The publisher withdrew the release
    .why = The publisher took the release back and said why.
    .cure = Nothing to do: the newest release that was not withdrawn is offered.
code-downgrade = The release has an older build than the installed one
    .why = An older build is only taken when the publisher marks the release as a way back.
    .cure = If you want to go back, use `updater rollback`. A publisher who means it publishes with `--allow-downgrade`.
code-incomparable = The builds cannot be compared
    .why = The release names its build in another notation than the installed one, so nobody can say which is newer.
    .cure = Ask the publisher to keep to one notation, or to publish the change of notation with `--allow-downgrade`.
code-replayed = The source offers less than it did before
    .why = This station has accepted a higher number before; an old state of the repository is being served.
    .cure = Check that you are asking the right server and that its repository was not restored from a backup. The operator's way out is in the page on operating.
code-needs = The release needs something newer on this computer
    .why = It asks for a newer updater, platform or server than there is here.
    .cure = Bring the part that is named up to date: the updater itself with `updater self update`, platform and server through their administrator.
code-held-by-site = The site holds the channel
    .why = The administrators of this site have stopped new releases for now.
    .cure = Ask them when they go on; there is nothing to do at the station.
code-not-released-by-site = The site has not released it to its stations yet
    .why = The administrators of this site release new builds themselves, and have not come to this one.
    .cure = Ask them; there is nothing to do at the station.
code-pinned-by-site = The site wants its stations at another release
    .why = The administrators of this site have chosen one release for all stations.
    .cure = Ask them; there is nothing to do at the station.
code-not-understood = The release uses something that this updater does not know
    .why = It was published with a newer version of the tools than this updater understands.
    .cure = Bring the updater itself up to date with `updater self update`, then run `updater update`.

## Security floors and going back
## docs/stations.md#going-back

code-installed-withdrawn = The installed release was withdrawn
    .why = Its publisher took it back after it was installed here.
    .cure = Run `updater update`. If nothing newer is offered yet, ask the publisher whether to go back with `updater rollback`.
code-below-floor = The installed release is below a security floor
    .why = The publisher has closed a security hole in a later release.
    .cure = Run `updater update` soon.
code-pin-below-floor = The site's chosen release is below a security floor
    .why = The site has chosen a release that the publisher calls unsafe; stations go to the safe one all the same.
    .cure = Administrators of the site should choose a release that is not below the floor.
code-offered-for-floor = The release is offered against the site's wishes
    .why = Without it this station would stay below a security floor, and no wish of a site keeps it there.
    .cure = Run `updater update`; administrators of the site should release it to their stations.
code-needs-reason = Going back to this build needs a reason
    .why = The build in the backup was withdrawn or is below a security floor.
    .cure = Choose another backup (`updater backups`), or say why: `updater rollback --to NNN --reason WHY`.
code-needs-admin = Only an administrator may go back to this build
    .why = The build in the backup was withdrawn or is below a security floor.
    .cure = Ask the owner of the folder or an administrator to run `updater rollback --to NNN --reason WHY`.

## The connection
## docs/security.md#transport-and-server

code-unreachable = The update server cannot be reached
    .why = There is no network, the server is down, or a firewall or proxy is in between. Nothing was changed, and what arrived is kept.
    .cure = Check the network and the address, then try again; the download goes on where it stopped.
code-too-slow = The connection is too slow
    .why = Hardly any bytes came for a long time, or more were needed than a start of the client waits for. The download was broken off; what arrived is kept.
    .cure = Try again later or over a better connection; the download goes on where it stopped.
code-not-there = The server does not have a file that it should have
    .why = The repository on the server is not whole, or the address leads to another place.
    .cure = Try again in a few minutes. If it stays, tell whoever runs the server to run `manifests verify`.
code-web-page = A web page came instead of the update
    .why = A log-in page of the network (a hotel, a guest network, a filter) stands between this computer and the server.
    .cure = Log in to the network in a browser, or use another network, then try again.
code-redirected = The server sent the download elsewhere, and that was not followed
    .why = Redirects are only followed within the site, so that nobody leads a station astray.
    .cure = Ask whoever runs the server to serve the files under the address that stations know.
code-unsafe-connection = The connection to the server is not safe
    .why = The server's certificate is wrong, expired, or signed by an authority that this computer does not believe; often a filter on the way opens connections.
    .cure = Check date and time of this computer. If your company has an authority of its own, name it with `--ca-file FILE`.
code-incomplete-copy = The copy that was carried here is not whole
    .why = A file of the copy is shorter than it has to be: copying was broken off, or is still going on.
    .cure = Copy the repository again, wait until it is finished, then try again.

## What can be trusted, and the time
## docs/security.md#metadata-and-trust

code-untrusted = What the source gave cannot be trusted
    .why = A signature, length or digest is not what the publisher signed. Nothing of it was used, and nothing was changed.
    .cure = Try again; if it stays, tell the publisher and whoever runs the server or mirror. Do not install the client from there by hand.
code-expired = The release data are past their time
    .why = The server has not been signed anew for too long, or the clock of this computer runs ahead.
    .cure = Check date and time of this computer. If they are right, tell whoever runs the server to run `manifests refresh`. Where the clock cannot be set, `--clock TIME` (UTC) says the time.
code-bad-manifest = The file list of the release is not the signed one
    .why = The file list that the source gave is damaged or was changed. Nothing was changed here.
    .cure = Try again; if it stays, tell the publisher.
code-corrupt-object = A downloaded file is damaged
    .why = What arrived is not what the publisher signed, even after it was fetched again.
    .cure = Try again over another connection; if it stays, tell whoever runs the server to run `manifests verify`.
code-epoch-rollback = The source offers an epoch that is over
    .why = The publisher began a new epoch after an emergency, and the source still serves the old one.
    .cure = Check that you are asking the right server; whoever runs the mirror has to bring it up to date.
code-more-roots = The publisher has changed keys many times, and not all changes were followed yet
    .why = This station slept through more changes of keys than one check follows.
    .cure = Run the command again; it goes on where it stopped.
code-bad-link = The install link cannot be used
    .why = The link is incomplete or mistyped; without what follows its `#` nobody could tell whom to trust.
    .cure = Ask for the link again and copy it whole, in quotes.
code-long-sleep = This station followed many changes of keys at once
    .why = It was off for long, and the publisher has changed keys meanwhile.
    .cure = Nothing to do.
code-stale-copy = The copy that was carried here is past its time
    .why = It is older than the publisher allows for a network, and still accepted for a while because it was carried.
    .cure = Bring a newer copy before the date that is named.
code-clock-behind = The clock of this computer is behind
    .why = The publisher has signed something at a time that this clock has not reached.
    .cure = Set date and time of this computer.
code-clock-given = The time was given by hand
    .why = The command was run with `--clock`, so expiry was judged by that time.
    .cure = Set date and time of this computer, and leave `--clock` out.

## What the folder and the disk need
## docs/security.md#the-folder-and-the-swap

code-no-write-right = The updater may not write in the client's folder
    .why = The folder, or a single file in it, is read-only, immutable, or belongs to somebody else. Nothing was changed.
    .cure = Give the account that runs the updater the right to write in the folder and to all its files, or run it as the owner.
code-no-space = The disk has too little room
    .why = The download, the new files and the backup do not fit beside the client. Nothing was changed.
    .cure = Delete what nobody needs on this disk and try again; where it is known how many bytes are needed, the message says so.
code-file-in-use = The client is in use
    .why = A program of the client runs, or somebody holds one of its files. Nothing is ever killed, so nothing was changed.
    .cure = Close the client and try again, or let the updater wait with `--in-use wait`.
code-link-in-tree = A symbolic link is in the way
    .why = A folder of the client was replaced by a link, and the updater goes through none, since it could lead anywhere.
    .cure = Replace the link by a real folder, then try again.
code-storage-error = The disk does not work as it should
    .why = The system refused to read or write a file; a cable, a network drive, a damaged disk or a filter program may be the cause.
    .cure = Look at the file that is named and at the system's log, check the disk, then try again.
code-in-the-way = Something is in the way
    .why = Where a folder or file belongs, something else lies that the updater did not put there.
    .cure = Move what is named away, then try again.
code-file-changing = A file was changed while the update was prepared
    .why = Somebody or some program writes in the client's folder at the same time; a virus scanner or a second updater, for instance.
    .cure = Try again. If it happens again, find out who writes there.
code-other-volume = Part of the folder lies on another disk
    .why = The client's folder, or a folder inside, is a mount point; files cannot be moved across disks in one step.
    .cure = Keep the whole client on one disk; for the profile `service` name a folder on the same disk with `--state DIR`.
code-no-folder = The folder cannot be opened
    .why = There is no such folder, or this account may not enter it.
    .cure = Check the path after `--dir` and the rights of the account.

## The client in use, and whether it lives
## docs/stations.md#does-the-new-build-live

code-deferred = The update is ready and waits for the client to be closed
    .why = A program of the client runs. The new files are prepared; nothing of the live client was changed.
    .cure = Close the client; the next `updater update` or `updater launch` applies it without fetching anything again.
code-returned = The new build did not live, and the one before it is back
    .why = The new build failed the publisher's probe, or died soon after its start.
    .cure = Go on working with the build before it; tell the publisher. `updater history` says what the new build said.
code-not-alive = The installed build does not live, and nothing can come back
    .why = The build failed its probe, and there is no whole backup of another one, or the way back is barred.
    .cure = Look at the reason in the message. Publish or install a build that starts; tell the publisher.
code-no-entry-point = Nobody knows which file starts the client
    .why = The release was published without an entry point.
    .cure = Ask its publisher to publish with `--entry-point PATH`.
code-not-all-here = Not everything of the release is on this computer
    .why = A start of the client fetches nothing, and something of the release that waits is missing.
    .cure = Run `updater update`.

## The state of an install
## docs/crash-safety.md#how-it-works

code-not-installed = This folder follows no release
    .why = Nothing was installed here, or it was removed with `updater uninstall`.
    .cure = Install with `updater install LINK --dir DIR`, or name the right folder with `--dir`.
code-follows-other = This folder follows another product already
    .why = One folder holds one product.
    .cure = Install into another folder, or run `updater uninstall` here first; it leaves the client in place.
code-busy = Another updater works on this folder
    .why = Only one may at a time; the message says which process and whose it is.
    .cure = Wait until it is done, or let this one wait with `--wait SECONDS`. After a crash nothing has to be removed.
code-second-updater = Another program keeps changing this folder
    .why = Files that the updater had put in place became others again, or a backup appeared that it did not make. After three repairs in a day it stops repairing, since two updaters on one folder undo each other.
    .cure = Switch the other one off. For a SmartClient, set `Enable=0` below `[UPDATE]` in the AppServer.ini of its server. Then run `updater update --retry`.
code-interrupted = An earlier update was cut off and has been undone
    .why = The power failed or the updater was ended in the middle, and the update could not be finished.
    .cure = Nothing is broken: run `updater update` again.
code-damaged-state = The updater's own records are damaged
    .why = A file in `.updater` cannot be read; a failing disk or somebody's hand may be the cause.
    .cure = Run `updater install` again with the install link; the client's files stay. Check the disk.
code-bad-settings = The station's settings cannot be used
    .why = A line of `.updater/settings.toml` is none that the updater knows. Until that is mended nothing new is installed; a client that fits starts as it is.
    .cure = Correct the line that the message shows, or take a key away with `updater settings --unset KEY`. Without the file, what holds without settings holds.
code-broken-swap = An update was cut off and cannot be finished by itself
    .why = Files that were prepared are gone, or cannot be moved either way. Until this is mended, the client starts only if every file is still as it was installed.
    .cure = Follow what the message says. If it names no way, move `.updater/journal` away and run `updater verify --repair`.
code-swap-failed = The new files could not be put in place
    .why = The system refused in the middle of the change; everything that had been moved was moved back.
    .cure = Look at the file in the message, mend the cause, and try again.
code-newer-state = A newer updater wrote this folder's records
    .why = This updater is older than the one that worked here before, and does not touch what it cannot read.
    .cure = Use the newer updater, or bring this one up to date with `updater self update`.
code-no-manifest = The file list of the installed release is nowhere to be had
    .why = It is neither on this computer nor in the repository any more.
    .cure = Run `updater update`: it brings the folder to the newest release.

## Backups
## docs/stations.md#going-back

code-backup-missing = There is no backup to go back to
    .why = Nothing has been updated here yet, or the backups were removed.
    .cure = `updater backups` lists what there is. To get a clean client, run `updater verify --repair`.
code-backup-damaged = The backup is damaged
    .why = Files in it are missing or are not as they were kept.
    .cure = Choose another with `updater backups` and `updater rollback --to NNN`, or take it as it is with `updater backups --adopt`.
code-backup-foreign = A folder of a backup's name is not the updater's
    .why = A folder named `bkp_remote.001` to `.003` was made by somebody else, and is never deleted.
    .cure = Take it into the rotation with `updater backups --adopt`, or move it away.
code-rollback-failed = Going back failed
    .why = The backup could not be brought back; the client is as it was.
    .cure = Look at the reason in the message, mend it, and run `updater rollback` again.

## Stations where people have no rights
## docs/service.md

code-others-can-write = Others can write where only root may
    .why = The profile `service` promises that nobody else changes the client, and somebody could.
    .cure = Give the folders that are named to root (on Windows: to the administrators), and take the write right from everybody else.
code-forged-registry = The registry of installs cannot be believed
    .why = Others can write it, so it could name any folder.
    .cure = Give the registry's folder to root alone and look at what is in it before you go on.
code-other-profile = The folder has another profile, or its state is elsewhere
    .why = Profile and place of the state are chosen at the first install and do not change afterwards.
    .cure = Leave `--profile` and `--state` out, or run `updater uninstall` and install anew.
code-agent-not-running = The agent does not answer
    .why = Only root changes this folder, and root's agent does not run.
    .cure = Ask an administrator to start it: `systemctl start stationmaster-updater`.
code-agent-not-ours = What answers is not the agent of this folder
    .why = Another program listens where the agent should. Nothing was asked of it.
    .cure = Tell an administrator at once.
code-agent-lost = The agent went away in the middle
    .why = It was stopped or restarted, or is of another version. What it was doing is finished or undone when it starts again.
    .cure = Ask `updater status` in a minute. If answers cannot be read, bring both programs up to date.
code-agent-busy = The agent has too much to do
    .why = Too many requests came at once.
    .cure = Try again in a minute.
code-bad-request = The agent does not understand the request
    .why = The program that asked is of another version than the agent.
    .cure = Bring both up to date.
code-not-allowed = You may not ask for this here
    .why = The administrators keep this command for root or for a group.
    .cure = Ask an administrator to do it, or to let your group do it in `agent.toml`.
code-no-socket = The agent cannot listen
    .why = The socket could not be made where it belongs.
    .cure = Look at the path in the message: its folder has to exist and to belong to root.

## The updater itself
## docs/operating.md#updating-the-updater

code-no-updater = The link is not for the updater
    .why = What it leads to is a client or something else, and is not put in the updater's place.
    .cure = Ask for the install link of the updater itself.
code-updater-failed = The new updater does not live, and the old one stays
    .why = It did not start, could not read the records here, or died before it said that it lives. It is not tried again.
    .cure = Go on with the old one; tell the publisher of the updater.
code-self-update-failed = The updater could not update itself
    .why = The system does not say where the program lies, or the new one could not be put there.
    .cure = Look at the reason in the message; if need be, install the updater by hand.

## The command itself
## docs/stations.md#languages-and-codes

code-usage = The command line is wrong
    .why = An option or argument is missing, unknown or has a wrong form.
    .cure = `updater help` and `updater COMMAND --help` show how it goes.
code-bad-argument = Something that the command was given cannot be used
    .why = A file cannot be read, a time or a setting is not valid, or it is not for this system.
    .cure = Correct what the message names.
code-internal = The updater failed in a way it should not
    .why = This is a fault of the updater, or the system refused something very basic.
    .cure = Try again. If it stays, report it with what `STATIONMASTER_LOG=debug` shows.
