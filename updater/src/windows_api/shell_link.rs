//! Links of the shell (`.lnk`).

use std::io;

use windows::Win32::System::Com::{
    CLSCTX_INPROC_SERVER, COINIT_APARTMENTTHREADED, CoCreateInstance, CoInitializeEx, CoUninitialize, IPersistStream, STREAM_SEEK_SET,
};
use windows::Win32::UI::Shell::{IShellLinkW, SHCreateMemStream, ShellLink};
use windows::core::{HSTRING, Interface as _};

/// What a link leads to.
pub(crate) struct Link<'a> {
    /// The program, absolute.
    pub(crate) program: &'a str,
    /// What it is given, as one line.
    pub(crate) arguments: &'a str,
    /// The folder that it is started in.
    pub(crate) folder: &'a str,
    /// What is shown when the pointer rests on it.
    pub(crate) description: &'a str,
    /// A file with the picture; without it, that of the program.
    pub(crate) icon: Option<&'a str>,
}

/// The file that is `link`, as the shell writes it.
pub(crate) fn bytes(link: &Link<'_>) -> io::Result<Vec<u8>> {
    let _com = Com::start()?;
    // SAFETY: COM runs on this thread until `_com` is dropped, which is after every interface below. Each call takes texts that end in a zero and live until it returns.
    let (persist, stream) = unsafe {
        let shell_link: IShellLinkW = CoCreateInstance(&ShellLink, None, CLSCTX_INPROC_SERVER)?;
        shell_link.SetPath(&HSTRING::from(link.program))?;
        shell_link.SetArguments(&HSTRING::from(link.arguments))?;
        shell_link.SetWorkingDirectory(&HSTRING::from(link.folder))?;
        shell_link.SetDescription(&HSTRING::from(link.description))?;
        if let Some(icon) = link.icon {
            shell_link.SetIconLocation(&HSTRING::from(icon), 0)?;
        }
        let stream = SHCreateMemStream(None).ok_or(io::ErrorKind::OutOfMemory)?;
        (shell_link.cast::<IPersistStream>()?, stream)
    };
    let mut bytes = vec![];
    let mut part = [0_u8; 4096];
    // SAFETY: as above; a read writes at most as many bytes as `part` has, and says how many.
    unsafe {
        persist.Save(&stream, true)?;
        stream.Seek(0, STREAM_SEEK_SET, None)?;
        loop {
            let mut read = 0;
            stream.Read(part.as_mut_ptr().cast(), part.len() as u32, Some(&raw mut read)).ok()?;
            match part.get(..read as usize) {
                None | Some([]) => return Ok(bytes),
                Some(read) => bytes.extend_from_slice(read),
            }
        }
    }
}

/// COM on this thread, until it is dropped.
struct Com;

impl Com {
    fn start() -> io::Result<Com> {
        // SAFETY: it takes no pointer; each success is paired with the call in `drop`.
        unsafe { CoInitializeEx(None, COINIT_APARTMENTTHREADED) }.ok()?;
        Ok(Com)
    }
}

impl Drop for Com {
    fn drop(&mut self) {
        // SAFETY: this thread has started COM, and every interface that it got from it is gone.
        unsafe { CoUninitialize() };
    }
}
