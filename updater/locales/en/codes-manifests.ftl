### Codes of `manifests`: how a command ended, and the rules that a folder is held to before it is published.

## How a command of the publisher ends
## docs/operating.md#publish

code-failed = A file could not be read or written
    .why = The disk, or the rights of the account, refused. Nothing that stations see has changed.
    .cure = Look at the file that is named, mend the cause, and run the command again.
code-unfit = The folder or zip is not fit to be published
    .why = It breaks rules; every finding is listed with its own code.
    .cure = Mend what is listed; each finding says how.
code-refused = The release or change is refused
    .why = It cannot be the next one: a build that goes back, a document that is too long, a request for another repository, or too few signatures.
    .cure = The message says what is wrong and what to do.
code-locked = Another command is changing the repository
    .why = Only one may at a time.
    .cure = Wait until it is done, or let this one wait with `--wait SECONDS`.
code-key = A private key is missing, exposed or locked
    .why = The key is not where it was looked for, others may read it, or its passphrase is not known.
    .cure = Name the folder of keys with `--keys DIR`, take the rights from others, or give the passphrase.
code-damaged = The repository is damaged
    .why = What it holds does not verify; the file is named.
    .cure = Run `manifests verify`, and bring the file back from a backup.
code-no-repository = There is no repository, or something else is where it should be
    .why = The folder that was given with `--repo` is none that `manifests init` made.
    .cure = Check the path, or make a repository with `manifests init`.
code-changed = The folder changed while it was being published
    .why = Somebody or some program writes in it.
    .cure = Wait until the build is finished, or publish a copy of it.

## Names of files and folders
## docs/format.md#1-common-rules

code-path-too-long = A path is too long or too deep
    .why = Some systems could not hold it.
    .cure = Shorten its name or the folders above it.
code-path-escapes = A path leads out of the folder
    .why = It has empty parts, `.` or `..`, or is absolute; a station would write elsewhere.
    .cure = Name it relative to the folder, without `..`.
code-path-character = A name has a character that not every system can hold
    .why = Some systems cannot store it, or it hides what the name is.
    .cure = Rename the file without that character.
code-path-trimmed = A name ends in a dot or space, or begins with a space
    .why = Windows would change this name.
    .cure = Rename it.
code-device-name = A name is that of a device on Windows
    .why = Windows takes names such as `con` and `nul.txt` for devices.
    .cure = Rename it.
code-short-name = A name looks like a short name of Windows
    .why = Windows may take a name such as `progra~1` for another file.
    .cure = Rename it.
code-not-unicode = A name is not Unicode
    .why = It was written in an old encoding, and other systems would show another name.
    .cure = Rename it in UTF-8.
code-case-collision = Two names are one on some systems
    .why = They differ only in capital letters or in the way that accents are written.
    .cure = Rename or remove one of the two.
code-upper-case = A name has capital letters
    .why = The repository was told to take lower case only.
    .cure = Rename it in lower case, or publish with `--names fold`.
code-repeated-name = The archive has one name twice
    .why = Nobody can tell which of the two is meant.
    .cure = Make the archive anew with each name once.

## What does not belong in a release
## docs/operating.md#publish

code-client-backup = The folder holds a client's backups
    .why = Something named `bkp_remote.001` to `.003` is in it: a client runs from this folder.
    .cure = Publish a clean copy of the build.
code-updater-state = The folder holds the state of an updater
    .why = `.updater` is in it: this is an installed client.
    .cure = Publish a clean copy of the build.
code-live-client = The folder looks like one that a client runs from
    .why = Logs, locks or temporary files are in it; they would go to all stations.
    .cure = Publish a clean copy of the build. If they belong there, `--allow live-client`.
code-server-folder = The folder looks like the application server's own
    .why = The server's program or settings are in it; they would go to all stations.
    .cure = Keep the client build in a folder of its own. If it is meant so, `--allow server-folder`.
code-truncated-program = A program in the folder has been cut off
    .why = Its headers name more than the file holds, or it is empty, or there are zeros where its content should be: a copy that ended early, or that is still going on.
    .cure = Copy it again, to its end. If it is meant so, `--allow truncated-program`.
code-own-repository = Repository and folder lie in one another
    .why = The release would hold the repository that it is published into.
    .cure = Keep the build in a folder of its own.
code-own-keys = Keys and folder lie in one another
    .why = Publishing would hand the keys out.
    .cure = Keep the keys elsewhere.
code-private-key = A private key is in the folder
    .why = Publishing would hand it out.
    .cure = Remove it. A key that others may have read has to be replaced.
code-junk-file = A file that only a desktop needs is in the folder
    .why = `.DS_Store`, `Thumbs.db` and the like are left by file browsers.
    .cure = Remove it before publishing.

## Links and files that cannot be published
## docs/format.md#6-release-manifest

code-link-not-allowed = There is a link where the system has none
    .why = Stations of this system could not make it.
    .cure = Replace the link by what it leads to.
code-link-escapes = A link leads out of the folder
    .why = At a station it would lead to somebody else's files.
    .cure = Make it a relative link inside the folder.
code-special-file = There is a socket, pipe or device
    .why = It has no content that could be published.
    .cure = Remove it.
code-unreadable = A file cannot be read
    .why = The account that publishes has no right to.
    .cure = Give it the right to read the file.

## What a release needs
## docs/operating.md#publish

code-empty-folder = There is no file in the folder
    .why = It is empty, or holds only empty folders.
    .cure = Give the folder that holds the unpacked build.
code-too-many-entries = There are too many files
    .why = A release may have only so many.
    .cure = Publish less in one release.
code-entry-point-missing = The entry point is not in the folder
    .why = The file that `--entry-point` names does not exist.
    .cure = Give `--entry-point` as a path inside the folder.
code-entry-point-mode = The entry point is not executable
    .why = Stations could not start it.
    .cure = Run `chmod +x` on it.
code-probe-missing = The file that is to show that the build lives is not there
    .why = The file that `--probe` names does not exist.
    .cure = Give `--probe file:PATH` as a path inside the folder.
code-no-app-bundle = There is no `.app` bundle in the folder
    .why = A build for macOS is a folder that contains the bundle.
    .cure = Give the folder that contains it. If it is meant so, `--allow no-app-bundle`.
code-only-archives = There are only archives in the folder
    .why = Stations get files as they are, unpacked.
    .cure = Unpack them first, or publish the zip itself. If it is meant so, `--allow only-archives`.
code-unsafe-archive = The archive cannot be read safely
    .why = Its parts contradict each other, so that two programs may unpack two things.
    .cure = Unpack it with a tool that you trust and publish the folder.
code-other-server = The client does not fit the server of its channel
    .why = By the compatibility rule of the channel this build cannot talk to the build that the channel names as its server (`--server-build`), so no station takes it for now.
    .cure = Publish a build that fits; or, once the server is a newer one, publish again with `--server-build` and its build.
code-config-file = A configuration file is in the release
    .why = Users may have changed theirs; what becomes of it then is said by the file's policy, which is named.
    .cure = Nothing, if it is meant so; say otherwise with `--config`.
code-time-clamped = A file has a time that no file system can hold
    .why = It lies outside of what stations can store.
    .cure = Nothing: stations will see the nearest time they can.
