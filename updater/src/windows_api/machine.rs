//! What Windows calls this computer.

use std::io;
use std::ptr::null_mut;

use windows_sys::Win32::System::Registry::{HKEY_LOCAL_MACHINE, RRF_RT_REG_SZ, RRF_SUBKEY_WOW6464KEY, RegGetValueW};
use windows_sys::w;

/// Room for a GUID in text, in UTF-16 units; Windows writes 36 and a zero.
const UNITS: usize = 64;

/// The number that the setup of Windows gave this computer.
pub(crate) fn guid() -> io::Result<String> {
    let mut units = [0_u16; UNITS];
    let mut bytes = u32::try_from(size_of_val(&units)).unwrap_or_default();
    // SAFETY: both names are constants that end in a zero; it writes at most `bytes` bytes to the buffer, and one number.
    let result = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            w!("SOFTWARE\\Microsoft\\Cryptography"),
            w!("MachineGuid"),
            RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY,
            null_mut(),
            units.as_mut_ptr().cast(),
            &raw mut bytes,
        )
    };
    match result {
        0 => Ok(String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned()),
        code => Err(io::Error::from_raw_os_error(code.cast_signed())),
    }
}
