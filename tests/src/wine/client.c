/* A client program for tests: says that it runs, and runs until its input ends. With a path, it holds that file meanwhile as programs on Windows do that think of nobody else: others may
   read it, and neither write nor rename nor remove it. */
#include <stdio.h>
#include <windows.h>

int wmain(int count, wchar_t **arguments)
{
    if (count > 1) {
        HANDLE file = CreateFileW(arguments[1], GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
        if (file == INVALID_HANDLE_VALUE) {
            fprintf(stderr, "error %lu\n", GetLastError());
            return 1;
        }
    }
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    return 0;
}
