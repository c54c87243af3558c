//! This process as a service of Windows: started and stopped by the service control manager.

use std::ffi::OsString;
use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use windows_service::service::{ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus, ServiceType};
use windows_service::service_control_handler::{self, ServiceControlHandlerResult, ServiceStatusHandle};
use windows_service::{define_windows_service, service_dispatcher};

/// What the service does: it is told how to say that it is ready, and returns only when it cannot go on.
pub type Work = Box<dyn Fn(&dyn Fn()) + Send + Sync>;

/// What is to be done; there is one service in this process.
static WORK: OnceLock<(String, Work)> = OnceLock::new();

define_windows_service!(begin, run_service);

/// Runs `work` as the service `name` until it is stopped. Returns an error at once where this process was not started as a service.
pub fn run(name: &str, work: Work) -> io::Result<()> {
    let _ = WORK.set((name.to_owned(), work));
    service_dispatcher::start(name, begin).map_err(io::Error::other)
}

/// Why the service ends.
enum End {
    Stopped,
    Failed,
}

fn run_service(_: Vec<OsString>) {
    let Some((name, work)) = WORK.get() else { return };
    let (ends, end) = sync_channel(2);
    let stops = ends.clone();
    let handler = move |control| match control {
        ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
        ServiceControl::Stop | ServiceControl::Shutdown => {
            // When it was told already, it ends anyway.
            let _ = stops.try_send(End::Stopped);
            ServiceControlHandlerResult::NoError
        }
        _ => ServiceControlHandlerResult::NotImplemented,
    };
    let Ok(handle) = service_control_handler::register(name, handler) else { return };
    tell(handle, ServiceState::StartPending, 0);
    let begun = std::thread::Builder::new().name("agent".into()).spawn(move || {
        work(&|| tell(handle, ServiceState::Running, 0));
        let _ = ends.try_send(End::Failed);
    });
    // What is under way when it is stopped is finished or undone when it starts again, as after a power cut.
    let is_stopped = begun.is_ok() && matches!(end.recv(), Ok(End::Stopped));
    tell(handle, ServiceState::Stopped, u32::from(!is_stopped));
}

/// Tells the service control manager how far we are. It hears nothing where it is gone.
fn tell(handle: ServiceStatusHandle, state: ServiceState, error: u32) {
    let accepts = if state == ServiceState::Running {
        ServiceControlAccept::STOP | ServiceControlAccept::SHUTDOWN
    } else {
        ServiceControlAccept::empty()
    };
    let status = ServiceStatus {
        service_type: ServiceType::OWN_PROCESS,
        current_state: state,
        controls_accepted: accepts,
        exit_code: if error == 0 { ServiceExitCode::NO_ERROR } else { ServiceExitCode::ServiceSpecific(error) },
        checkpoint: 0,
        wait_hint: Duration::from_secs(60),
        process_id: None,
    };
    let _ = handle.set_service_status(status);
}
