#pragma once

/* Functions that invite overflow, hidden state or silent errors. Every source is compiled with
 * -include of this file, so the headers that declare them come first. Write instead: buf_adds,
 * text_copy, snprintf, strcspn, gmtime_r, text_int. */
#ifndef __ASSEMBLER__

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#undef strtok
#undef gets
#undef gmtime
#undef localtime
#undef asctime
#undef ctime
#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets gmtime localtime asctime ctime
#undef atoi
#undef atol
#undef atof
#pragma GCC poison atoi atol atof

#endif
