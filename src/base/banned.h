#pragma once

/* Functions that invite overflow, hidden state or silent errors. Every source is compiled with
 * -include of this file, so the headers that declare them come first. Write instead: buf_adds,
 * text_copy, snprintf, strcspn, gmtime_r, text_int. */
#ifndef __ASSEMBLER__

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets gmtime localtime asctime ctime
#pragma GCC poison atoi atol atof

#endif
