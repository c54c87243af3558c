/* bcryptprimitives.dll for Wine 8, which lacks it and without which no Rust program starts there. For tests only: every Windows has the real one, and ours is never shipped. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE to, SIZE_T length)
{
    /* RtlGenRandom takes a length of 32 bits. */
    while (length > 0) {
        ULONG chunk = length > 65536 ? 65536 : (ULONG)length;
        if (!RtlGenRandom(to, chunk))
            return FALSE;
        to += chunk;
        length -= chunk;
    }
    return TRUE;
}
