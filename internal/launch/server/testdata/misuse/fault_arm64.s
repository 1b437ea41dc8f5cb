#include "textflag.h"

// func read(address uintptr)
TEXT ·read(SB), NOSPLIT, $0-8
	MOVD address+0(FP), R0
	MOVD (R0), R0
	RET

// func jump(address uintptr)
TEXT ·jump(SB), NOSPLIT, $0-8
	MOVD address+0(FP), R0
	JMP  (R0)

// func overflow(top uintptr)
TEXT ·overflow(SB), NOSPLIT, $0-8
	MOVD top+0(FP), R0
	MOVD R0, RSP
more:
	SUB  $16, RSP
	MOVD R0, (RSP)
	JMP  more

// func illegal()
TEXT ·illegal(SB), NOSPLIT, $0-0
	UNDEF
	RET
