/* A client program for tests that says how it was started: its folder and its words, one on each line, in UTF-8, to the file that the variable LOG names. The file gets its name when all is in it. */
#include <stdio.h>
#include <windows.h>

static void tell(FILE *log, const wchar_t *text)
{
    char line[4096];
    if (WideCharToMultiByte(CP_UTF8, 0, text, -1, line, sizeof line, NULL, NULL))
        fprintf(log, "%s\n", line);
}

int wmain(int count, wchar_t **arguments)
{
    wchar_t path[MAX_PATH], part[MAX_PATH + 4], folder[MAX_PATH];
    FILE *log;
    if (!GetEnvironmentVariableW(L"LOG", path, MAX_PATH) || !GetCurrentDirectoryW(MAX_PATH, folder))
        return 1;
    wsprintfW(part, L"%s.new", path);
    log = _wfopen(part, L"wb");
    if (!log)
        return 1;
    tell(log, folder);
    for (int at = 1; at < count; at++)
        tell(log, arguments[at]);
    fclose(log);
    return !MoveFileExW(part, path, MOVEFILE_REPLACE_EXISTING);
}
