//! `POST /v1/publish/NAME`: a submission, from a publisher or its CI.
//!
//! `Authorization: Bearer TOKEN`; the body is the submission. Strangers get one answer, whatever they ask for, so that nobody learns which repositories
//! there are (G9). Whatever becomes of a submission is one line in the log, written where it is taken in: also when its sender has gone.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;

use crate::app::App;
use crate::content::precondition;
use crate::error::Problem;
use crate::publishing::incoming::{self, IncomingError, Submission};
use crate::publishing::tokens::TokenId;
use crate::publishing::{Desk, Publishing, Refused, Taken};
use crate::routes::health::json;
use crate::server::Peer;

/// What a publisher is told.
#[derive(Serialize)]
struct Published {
    repository: String,
    #[serde(flatten)]
    taken: Taken,
}

/// Answers a submission.
pub async fn submission(State(app): State<Arc<App>>, Extension(Peer(peer)): Extension<Peer>, request: Request) -> Response {
    let name = request.uri().path().strip_prefix("/v1/publish/").unwrap_or_default().to_owned();
    match publish(&app, peer.ip(), &name, request).await {
        Ok(taken) => json(StatusCode::OK, &Published { repository: name, taken }),
        Err(problem) => problem.into_response(),
    }
}

async fn publish(app: &Arc<App>, peer: IpAddr, name: &str, request: Request) -> Result<Taken, Problem> {
    // The route exists only when there is something to publish into.
    let publishing = app.publishing.as_ref().ok_or(Problem::NoSuchPage)?;
    let (parts, body) = request.into_parts();
    let token = authorise(publishing, peer, &parts.headers, name)?;
    let desk = publishing.desk(name).ok_or(Problem::TokenRefused)?;
    let place = desk.place.clone().try_acquire_owned().map_err(|_| Problem::RepositoryBusy)?;
    is_expected(app, name, &parts.headers).await?;
    let received = incoming::receive(body, &desk.folder, publishing.bounds).await;
    let submission = received.map_err(|error| {
        tracing::warn!(repository.name = name, peer = %peer, token.id = %token, error = %error, "a submission did not arrive");
        Problem::from(error)
    })?;
    take_in(app, desk, place, Who { name: name.to_owned(), peer, token }, submission).await
}

/// The token, if it may. Whoever was wrong too often waits, whatever the next one is.
fn authorise(publishing: &Publishing, peer: IpAddr, headers: &HeaderMap, name: &str) -> Result<TokenId, Problem> {
    let now = Instant::now();
    if !publishing.is_unlimited(peer)
        && let Some(wait) = publishing.throttle.wait(peer, now)
    {
        return Err(Problem::TooManyWrongTokens { seconds: wait.as_secs() + 1 });
    }
    publishing.tokens.authorise(headers, name).ok_or_else(|| {
        publishing.throttle.wrong(peer, now);
        tracing::warn!(peer = %peer, "a wrong token for publishing");
        Problem::TokenRefused
    })
}

/// `If-Match`, if given, must name the timestamp that stations see.
async fn is_expected(app: &App, name: &str, headers: &HeaderMap) -> Result<(), Problem> {
    if !headers.contains_key(header::IF_MATCH) {
        return Ok(());
    }
    let timestamp = app.content.find(&format!("/repo/{name}/metadata/timestamp.json")).await?;
    if precondition::is_expected(headers, timestamp.head().etag.as_bytes()) { Ok(()) } else { Err(Problem::PreconditionFailed) }
}

/// Who submits what, for the log.
struct Who {
    name: String,
    peer: IpAddr,
    token: TokenId,
}

/// Takes the submission in, to its end even when its sender goes away meanwhile.
async fn take_in(app: &Arc<App>, desk: &Desk, place: OwnedSemaphorePermit, who: Who, submission: Submission) -> Result<Taken, Problem> {
    let (intake, now) = (desk.intake.clone(), app.clock.now());
    let taken = tokio::task::spawn_blocking(move || {
        let taken = intake.submit(submission.path(), now);
        record(&who, &submission, &taken);
        drop((submission, place));
        taken
    });
    match taken.await {
        Ok(taken) => taken.map_err(Problem::from),
        Err(error) => {
            tracing::error!(error = %error, "taking a submission in ended abnormally");
            Err(Problem::PublishFailed)
        }
    }
}

/// One line for each submission: who, what, with which result.
fn record(who: &Who, submission: &Submission, taken: &Result<Taken, Refused>) {
    let (result, roles) = match taken {
        Ok(taken) => {
            let roles = taken.roles.iter().map(|role| format!("{} {}", role.role, role.version));
            ("published".to_owned(), roles.collect::<Vec<_>>().join(", "))
        }
        Err(refused) => (format!("refused: {refused}"), String::new()),
    };
    tracing::info!(repository.name = who.name, peer = %who.peer, token.id = %who.token, submission.bytes = submission.length,
        submission.sha256 = %submission.digest, submission.roles = roles, submission.result = result, "submission");
    if let Err(Refused::Failed(cause)) = taken {
        tracing::error!(
            repository.name = who.name,
            error = cause,
            "a submission could not be taken in, for this server could not do its part"
        );
    }
}

impl From<IncomingError> for Problem {
    fn from(error: IncomingError) -> Self {
        match error {
            IncomingError::TooLong(bytes) => Problem::SubmissionTooLong { bytes },
            IncomingError::TooSlow(_) => Problem::SubmissionTooSlow,
            IncomingError::Cut(_) => Problem::SubmissionCut,
            IncomingError::Disk { .. } => Problem::StorageFailed,
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotCurrent(reason) => Problem::BaseNotCurrent { reason },
            Refused::Unfit(reason) => Problem::SubmissionUnfit { reason },
            Refused::Busy(_) => Problem::RepositoryBusy,
            Refused::Failed(_) => Problem::PublishFailed,
        }
    }
}
