/* Takes the name of a pipe before the agent does, says that it is ready, and then how many bytes whoever connects has said. */
#include <stdio.h>
#include <windows.h>

int wmain(int count, wchar_t **arguments)
{
    char heard[256];
    DWORD length = 0;
    HANDLE pipe = count < 2 ? INVALID_HANDLE_VALUE : CreateNamedPipeW(arguments[1], PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 1, 4096, 4096, 0, NULL);
    if (pipe == INVALID_HANDLE_VALUE)
        return 1;
    puts("ready");
    fflush(stdout);
    if (ConnectNamedPipe(pipe, NULL) || GetLastError() == ERROR_PIPE_CONNECTED)
        ReadFile(pipe, heard, sizeof heard, &length, NULL);
    printf("%lu\n", length);
    fflush(stdout);
    return 0;
}
