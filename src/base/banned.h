#pragma once

/* Functions that invite overflow, hidden state or silent errors. Included by base/buf.h's users
 * through the compiler's -include, after the system headers that declare them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets gmtime localtime asctime ctime atoi atol atof
