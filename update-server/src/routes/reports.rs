//! `POST /v1/reports/NAME`: what a station tells of its updates.
//!
//! The body is a signed report. What is written down of it is answered with its ids, and the station forgets those. Strangers who send what is no report wait, as those with wrong tokens do.

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hyper::body::Body as _;
use manifests::quote::quoted;
use manifests::report::{LIMIT_BYTES, Report};

use crate::app::App;
use crate::error::Problem;
use crate::reports::journal::JournalError;
use crate::reports::{NotTaken, Reports, Taken};
use crate::routes::health::json;
use crate::server::Peer;

/// Answers a report.
pub async fn report(State(app): State<Arc<App>>, Extension(Peer(peer)): Extension<Peer>, request: Request) -> Response {
    let name = request.uri().path().strip_prefix("/v1/reports/").unwrap_or_default().to_owned();
    match take(&app, peer.ip(), &name, request.into_body()).await {
        Ok(taken) => json(StatusCode::OK, &taken),
        Err(problem) => problem.into_response(),
    }
}

async fn take(app: &Arc<App>, peer: IpAddr, name: &str, body: Body) -> Result<Taken, Problem> {
    // The route exists only where reports are taken.
    let reports = app.reports.as_ref().ok_or(Problem::NoSuchPage)?;
    let desk = reports.desk(name).ok_or(Problem::NoSuchPage)?;
    let now = Instant::now();
    if !reports.is_unlimited(peer)
        && let Some(wait) = reports.throttle.wait(peer, now)
    {
        return Err(Problem::TooManyReports { seconds: wait.as_secs() + 1 });
    }
    let place = reports.places.clone().try_acquire_owned().map_err(|_| Problem::TooManyReports { seconds: 5 })?;
    let bytes = receive(reports, body).await?;
    let unfit = |reason: String| {
        reports.throttle.wrong(peer, now);
        tracing::warn!(peer = %peer, repository.name = name, reason, "what came was no report");
        Problem::ReportUnfit { reason }
    };
    let report = Report::parse(&bytes).map_err(|error| unfit(error.to_string()))?;
    if report.repository.as_str() != name {
        return Err(unfit(format!("it is for the repository `{}`", quoted(report.repository.as_str(), 80))));
    }
    let (app, at) = (app.clone(), app.clock.now());
    let written = tokio::task::spawn_blocking(move || {
        let reports = app.reports.as_ref()?;
        let taken = reports.take(&desk, &report, peer, at);
        drop(place);
        Some(taken)
    });
    match written.await {
        Ok(Some(taken)) => taken.map_err(|error| refused(&error, name)),
        Ok(None) => Err(Problem::NoSuchPage),
        Err(error) => {
            tracing::error!(error = %error, "writing a report down ended abnormally");
            Err(Problem::StorageFailed)
        }
    }
}

/// The whole body, in time and within its length.
async fn receive(reports: &Reports, mut body: Body) -> Result<Vec<u8>, Problem> {
    let is_too_long = |length: usize| length as u64 > LIMIT_BYTES;
    if body.size_hint().lower() > LIMIT_BYTES {
        return Err(Problem::ReportTooLong);
    }
    let whole = async {
        let mut bytes = vec![];
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            let frame = frame.map_err(|_| Problem::ReportCut)?;
            // Trailers say nothing that is asked.
            let data = frame.into_data().unwrap_or_default();
            if is_too_long(bytes.len() + data.len()) {
                return Err(Problem::ReportTooLong);
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    };
    tokio::time::timeout(reports.patience, whole).await.unwrap_or(Err(Problem::ReportCut))
}

fn refused(error: &NotTaken, name: &str) -> Problem {
    match error {
        NotTaken::Enough => Problem::TooManyReports { seconds: 3600 },
        // Said once a month, where it is found.
        NotTaken::Journal(JournalError::Full { .. }) => Problem::JournalFull,
        NotTaken::Journal(error) => {
            tracing::error!(repository.name = name, error = %error, "a report could not be written down");
            Problem::StorageFailed
        }
    }
}
