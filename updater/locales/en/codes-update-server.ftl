### Codes of `update-server`: `code` in its problem documents, and the warnings of `/readyz`.

## What a request is answered
## docs/security.md#transport-and-server

code-no-such-page = Nothing is served under this address
    .why = The path is none that the server knows; repositories are under `/repo/`, install documents under `/i/`.
    .cure = Check the address. Stations take theirs from the install link: ask for the link again.
code-no-such-file = No such file is served
    .why = The repository, or the file in it, does not exist on this server, or its name may not be served.
    .cure = Check the name of the repository. A station that misses a file needs a whole repository: run `manifests verify`.
code-no-such-install-code = There is no install document of this code
    .why = The install link is mistyped, or its document was removed.
    .cure = Make a new link with `update-server link`, or ask for one.
code-method-not-allowed = The address exists, but not for this method
    .why = The request was sent with another HTTP method than the page has; the field `Allow` names those it has.
    .cure = Use one of them.
code-range-not-satisfiable = The range begins after the end of the file
    .why = Somebody asked for bytes that the file does not have; often a part of another version of it.
    .cure = Ask for the file anew; the field `Content-Range` has its length.
code-precondition-failed = The file is not the version that was asked for
    .why = It changed since `If-Match` was learnt.
    .cure = Ask for it anew.
code-request-body-too-large = The request has too long a body
    .why = It is longer than `limits.max_body_bytes`.
    .cure = Nothing that stations ask has a body; publishing has a limit of its own.
code-content-damaged = The stored file is damaged and is not served
    .why = Its content is not what its name says; a failing disk or a change by hand may be the cause.
    .cure = Run `manifests verify` on the repository, check the disk, and bring the file back from a backup or by publishing again.
code-storage-failed = The storage behind the server did not answer
    .why = The disk or network drive with the repositories refused or timed out.
    .cure = Look at the server's log and at the storage; clients try again by themselves.

## Publishing over the network
## docs/operating.md#from-ci

code-token-refused = The token for publishing is missing or wrong
    .why = Publishing needs `Authorization: Bearer TOKEN` with a token for this very repository; whether the repository exists is not told.
    .cure = Check the token and the name of the repository.
code-too-many-wrong-tokens = Too many wrong tokens came from this address
    .why = Somebody, or a job with an old token, keeps trying.
    .cure = Wait as long as `Retry-After` says, then try again with the right token.
code-submission-too-long = The submission is longer than the server takes
    .why = It is longer than `limits.max_publish_bytes`.
    .cure = Publish less at once, or raise the limit.
code-submission-too-slow = The submission came too slowly
    .why = It was slower than `limits.min_publish_bytes_per_second`.
    .cure = Send it over a better connection, or lower the limit.
code-submission-cut = The submission did not arrive whole
    .why = The connection broke in the middle. Nothing was published.
    .cure = Send it again.
code-submission-unfit = The submission cannot be published
    .why = It is not what it should be, or not signed as it must be; the detail says what is wrong.
    .cure = Correct it and make the submission again.
code-base-not-current = Somebody else has published meanwhile
    .why = The submission was made for versions that are not current any more. Nothing was published.
    .cure = Make it again from what is current, and send it.
code-repository-busy = Another submission or command is changing the repository
    .why = Only one may at a time.
    .cure = Send it again in a minute.
code-publish-failed = The server could not do its part of publishing
    .why = A file could not be written, or a key could not be used. Nothing was published.
    .cure = The server's log says why; mend that and send the submission again.

## What stations report
## docs/operating.md#what-stations-report

code-report-too-long = The report is longer than the server takes
    .why = A report of a station has at most 100 attempts and half a mebibyte.
    .cure = Updaters keep within it by themselves; whatever else sends reports must send them in parts.
code-report-cut = The report did not arrive whole
    .why = The connection broke in the middle, or was too slow. Nothing was written down.
    .cure = The station sends it again at its next check; look at the network in between if this goes on.
code-report-unfit = What came is no report of a station
    .why = It is malformed, for another repository, or not signed by the key that it names; the detail says what is wrong.
    .cure = Update the server first and then the stations; if it goes on, find out who sends it: the server's log names the address.
code-too-many-reports = A station or an address reports too much
    .why = One station may report 500 attempts a day and one address 20,000, and who sends what is no report has to wait.
    .cure = Find out with `update-server journal` who it is and why. What was not taken waits at the station.
code-journal-full = The journal has no more room for this month
    .why = Reports of this month have used up `reports.max_month_bytes`. What is written down stays.
    .cure = Find out with `update-server journal` whether a station tells too much; else raise the limit.

## What /readyz warns of
## docs/operating.md#every-day

code-repository-unsound = Stations cannot use the repository
    .why = What it signs does not verify: a file is missing, damaged, or does not belong to the others.
    .cure = Run `manifests verify` on it and follow what it says.
code-file-unreadable = A file of the repository cannot be read
    .why = It is missing or damaged, or the server's account may not read it.
    .cure = Look at the file that is named, and at its rights.
code-refresh-failing = Signing anew fails
    .why = The server should sign snapshot and timestamp by itself and cannot; the cause is in the warning.
    .cure = Mend the cause before the timestamp expires; stations take nothing new after that.
code-role-expired = A role has expired
    .why = It was not signed anew in time. Stations take nothing new until it is.
    .cure = Run `manifests refresh` where its key is; where the server signs by itself, its log says why it did not.
code-role-expires-soon = A role expires soon
    .why = Its time is nearly over and nobody has signed it anew.
    .cure = Run `manifests refresh` where its key is.
code-keys-misplaced = Keys lie on the server that should not
    .why = Whoever owns this server could release anything.
    .cure = Move them to a machine that the network does not reach: `manifests keys split`.
code-keys-unreadable = The folder of keys cannot be read
    .why = It is missing, or the server's account may not read it.
    .cure = Check the path in the settings and the rights of the folder.
code-folder-unpublished = A folder that should publish itself is not published
    .why = It is not there, cannot be read, breaks a rule that is named, or has no role in its repository. Stations see the release before.
    .cure = Do what the warning says. The folder is looked at again by itself.
code-reports-refused = What stations report is not written down
    .why = The journal has its bytes for this month, or cannot be written. Stations keep what they have to say and say it later.
    .cure = Do what the warning says; the disk of the journal has to have room, and be writable for the account that serves. Stations then try again by themselves.
