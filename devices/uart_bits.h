/* SPDX-License-Identifier: MIT */
/*
 * Registers of the 16550A and their bits, as National Semiconductor's PC16550D
 * data sheet (June 1995), section 8, names them.
 *
 *     offset   read   write   either, with DLAB
 *       0      RBR     THR       DLL
 *       1      IER     IER       DLM
 *       2      IIR     FCR
 *       3      LCR     LCR
 *       4      MCR     MCR
 *       5      LSR      -
 *       6      MSR      -
 *       7      SCR     SCR
 */
#ifndef DEVICES_UART_BITS_H
#define DEVICES_UART_BITS_H

enum uart_offset {
	RBR = 0,
	THR = 0,
	IER = 1,
	IIR = 2,
	FCR = 2,
	LCR = 3,
	MCR = 4,
	LSR = 5,
	MSR = 6,
	SCR = 7
};

#define IER_RDA	 0x01u /* received data available, or time-out */
#define IER_THRE 0x02u /* transmitter empty */
#define IER_RLS	 0x04u /* receiver line status: an error */
#define IER_MS	 0x08u /* modem status */
#define IER_BITS 0x0fu

/* Causes, highest priority first. */
#define IIR_RLS	     0x06u
#define IIR_RDA	     0x04u
#define IIR_TIMEOUT  0x0cu
#define IIR_THRE     0x02u
#define IIR_MS	     0x00u
#define IIR_NONE     0x01u
#define IIR_FIFOS    0xc0u /* they are on */

#define FCR_ENABLE   0x01u
#define FCR_RX_RESET 0x02u
#define FCR_TRIGGER  6 /* shift of the receive FIFO's trigger level */

#define LCR_DLAB     0x80u

#define MCR_DTR	     0x01u
#define MCR_RTS	     0x02u
#define MCR_OUT1     0x04u
#define MCR_OUT2     0x08u
#define MCR_LOOP     0x10u
#define MCR_BITS     0x1fu

#define LSR_DR	     0x01u /* data ready */
#define LSR_OE	     0x02u /* overrun: a byte was lost */
#define LSR_THRE     0x20u
#define LSR_TEMT     0x40u

/* The upper half is the modem's lines; the lower says which have changed. */
#define MSR_LINES  0xf0u
#define MSR_DELTAS 0x0fu
#define MSR_CTS	   0x10u
#define MSR_DSR	   0x20u
#define MSR_RI	   0x40u
#define MSR_DCD	   0x80u

#endif
