/* Runs the command line that follows without an administrator's rights: the group is in its token for denying alone, as for whoever has not been asked by UAC. */
#include <windows.h>
#include <wchar.h>

static const wchar_t *rest(const wchar_t *line)
{
    wchar_t end = *line == L'"' ? *line++ : L' ';
    while (*line && *line != end) line++;
    if (*line == L'"') line++;
    while (*line == L' ') line++;
    return line;
}

int wmain(void)
{
    HANDLE ours, theirs;
    BYTE administrators[SECURITY_MAX_SID_SIZE];
    DWORD length = sizeof administrators, code = 125;
    STARTUPINFOW start = { .cb = sizeof start };
    PROCESS_INFORMATION process;
    wchar_t *line = _wcsdup(rest(GetCommandLineW()));
    SID_AND_ATTRIBUTES denied = { administrators, 0 };
    BOOL is_member = TRUE;
    HANDLE shown;

    if (!CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, administrators, &length)
        || !OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &ours)
        || !CreateRestrictedToken(ours, 0, 1, &denied, 0, NULL, 0, NULL, &theirs)
        || !DuplicateToken(theirs, SecurityIdentification, &shown)
        || !CheckTokenMembership(shown, administrators, &is_member) || is_member)
        return 125;
    start.dwFlags = STARTF_USESTDHANDLES;
    start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    if (!CreateProcessAsUserW(theirs, NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &process))
        return 125;
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    return (int)code;
}
