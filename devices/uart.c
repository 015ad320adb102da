/* SPDX-License-Identifier: MIT */
/*
 * A 16550A as on a PC's COM1; uart_bits.h has its registers and the source.
 *
 * Sending takes no time: the transmitter is always empty again when a write
 * returns. The divisor is kept and means nothing. Parity, break and framing
 * errors do not happen, and the time-out of a receive FIFO below its trigger
 * level has always passed.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "devices/devices.h"
#include "devices/uart_bits.h"

#define FIFO 16

struct uart {
	struct device device;
	pthread_mutex_t lock; /* of all below but out, irq */
	struct uart_output out;
	struct irq_line irq;
	void (*room)(void *ctx);
	void *room_ctx;

	uint8_t ier, lcr, mcr, msr, scr, dll, dlm;
	bool fifos; /* FCR: both are on */
	unsigned trigger; /* bytes in the FIFO that mean RDA */
	uint8_t fifo[FIFO];
	unsigned first, held; /* of fifo */
	bool overrun;
	bool sent; /* THRE is pending */
	bool starving; /* uart_input was refused bytes */
	int level; /* of irq */
};

static unsigned capacity(const struct uart *u)
{
	return u->fifos ? FIFO : 1;
}

/* What IIR says: the pending cause of highest priority that IER lets by. */
static uint8_t cause(const struct uart *u)
{
	if ((u->ier & IER_RLS) && u->overrun)
		return IIR_RLS;
	if ((u->ier & IER_RDA) && u->held >= u->trigger)
		return IIR_RDA;
	if ((u->ier & IER_RDA) && u->held)
		return IIR_TIMEOUT;
	if ((u->ier & IER_THRE) && u->sent)
		return IIR_THRE;
	if ((u->ier & IER_MS) && (u->msr & MSR_DELTAS))
		return IIR_MS;
	return IIR_NONE;
}

/* On a PC, OUT2 is what connects the interrupt pin with the bus; in loopback
 * the chip drives it inactive. */
static void update_irq(struct uart *u)
{
	int level = (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2 &&
		    cause(u) != IIR_NONE;

	if (level != u->level)
		u->irq.set(u->irq.ctx, level);
	u->level = level;
}

static bool receive(struct uart *u, uint8_t byte)
{
	if (u->held == capacity(u))
		return false;
	u->fifo[(u->first + u->held++) % FIFO] = byte;
	return true;
}

/* Would a byte from outside be received? In loopback, the input is cut off. */
static bool has_room(const struct uart *u)
{
	return !(u->mcr & MCR_LOOP) && u->held < capacity(u);
}

static uint8_t read_rbr(struct uart *u)
{
	uint8_t byte = u->fifo[u->first];

	if (!u->held)
		return 0;
	u->first = (u->first + 1) % FIFO;
	u->held--;
	return byte;
}

/* The interrupt goes away with the write and comes back when the byte has
 * left: on an edge-triggered line, each byte is an edge. */
static void write_thr(struct uart *u, uint8_t byte)
{
	u->sent = false;
	update_irq(u);
	if (!(u->mcr & MCR_LOOP))
		u->out.write(u->out.ctx, &byte, 1);
	else if (!receive(u, byte))
		u->overrun = true;
	u->sent = true;
}

/* Reading it takes back THRE, if that is what it says. */
static uint8_t read_iir(struct uart *u)
{
	uint8_t iir = cause(u);

	if (iir == IIR_THRE)
		u->sent = false;
	return iir | (u->fifos ? IIR_FIFOS : 0);
}

static uint8_t read_lsr(struct uart *u)
{
	uint8_t lsr = LSR_THRE | LSR_TEMT;

	if (u->held)
		lsr |= LSR_DR;
	if (u->overrun)
		lsr |= LSR_OE;
	u->overrun = false;
	return lsr;
}

static uint8_t read_msr(struct uart *u)
{
	uint8_t msr = u->msr;

	u->msr &= MSR_LINES;
	return msr;
}

static void write_ier(struct uart *u, uint8_t value)
{
	/* The transmitter is empty: letting THRE by makes it pending. */
	if (~u->ier & value & IER_THRE)
		u->sent = true;
	u->ier = value & IER_BITS;
}

static void write_fcr(struct uart *u, uint8_t value)
{
	static const uint8_t triggers[] = { 1, 4, 8, 14 };
	bool on = value & FCR_ENABLE;

	if (on != u->fifos || (on && (value & FCR_RX_RESET)))
		u->held = 0;
	u->fifos = on;
	u->trigger = on ? triggers[value >> FCR_TRIGGER] : 1;
}

/* The modem's lines: connected and ready; in loopback, what MCR says. */
static uint8_t modem_lines(const struct uart *u)
{
	if (!(u->mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	return (u->mcr & MCR_RTS ? MSR_CTS : 0) |
	       (u->mcr & MCR_DTR ? MSR_DSR : 0) |
	       (u->mcr & MCR_OUT1 ? MSR_RI : 0) |
	       (u->mcr & MCR_OUT2 ? MSR_DCD : 0);
}

/* Each line has a delta bit four below it; that of RI tells its trailing edge
 * only. */
static void write_mcr(struct uart *u, uint8_t value)
{
	uint8_t lines, changed;

	u->mcr = value & MCR_BITS;
	lines = modem_lines(u);
	changed = (u->msr ^ lines) & MSR_LINES;
	if (lines & MSR_RI)
		changed &= MSR_LINES & ~MSR_RI;
	u->msr = lines | (u->msr & MSR_DELTAS) | (uint8_t)(changed >> 4);
}

static uint8_t read_register(struct uart *u, uint64_t offset)
{
	bool dlab = u->lcr & LCR_DLAB;

	switch (offset) {
	case RBR:
		return dlab ? u->dll : read_rbr(u);
	case IER:
		return dlab ? u->dlm : u->ier;
	case IIR:
		return read_iir(u);
	case LCR:
		return u->lcr;
	case MCR:
		return u->mcr;
	case LSR:
		return read_lsr(u);
	case MSR:
		return read_msr(u);
	case SCR:
		return u->scr;
	default:
		return 0;
	}
}

static void write_register(struct uart *u, uint64_t offset, uint8_t value)
{
	bool dlab = u->lcr & LCR_DLAB;

	switch (offset) {
	case THR:
		if (dlab)
			u->dll = value;
		else
			write_thr(u, value);
		break;
	case IER:
		if (dlab)
			u->dlm = value;
		else
			write_ier(u, value);
		break;
	case FCR:
		write_fcr(u, value);
		break;
	case LCR:
		u->lcr = value;
		break;
	case MCR:
		write_mcr(u, value);
		break;
	case SCR:
		u->scr = value;
		break;
	default: /* LSR and MSR are for the factory */
		break;
	}
}

/* After an access: give the lock back and tell who waits for room. */
static void finish(struct uart *u)
{
	bool room = u->starving && u->room && has_room(u);

	if (room)
		u->starving = false;
	pthread_mutex_unlock(&u->lock);
	if (room)
		u->room(u->room_ctx);
}

/* A wide access is one of a byte to each register in turn, as the ISA bus
 * splits it. */
static uint64_t uart_read(struct device *d, uint64_t offset, unsigned len)
{
	struct uart *u = (struct uart *)d;
	uint64_t value = 0;

	pthread_mutex_lock(&u->lock);
	for (unsigned i = 0; i < len; i++) {
		value |= (uint64_t)read_register(u, offset + i) << (8 * i);
		update_irq(u);
	}
	finish(u);
	return value;
}

static void uart_write(struct device *d, uint64_t offset, unsigned len,
		       uint64_t value)
{
	struct uart *u = (struct uart *)d;

	pthread_mutex_lock(&u->lock);
	for (unsigned i = 0; i < len; i++) {
		write_register(u, offset + i, (uint8_t)(value >> (8 * i)));
		update_irq(u);
	}
	finish(u);
}

static void uart_destroy(struct device *d)
{
	struct uart *u = (struct uart *)d;

	pthread_mutex_destroy(&u->lock);
	free(u);
}

static const struct device_ops ops = {
	.name = "uart",
	.read = uart_read,
	.write = uart_write,
	.destroy = uart_destroy,
};

struct device *uart_create(struct uart_output out, struct irq_line irq)
{
	struct uart *u = malloc(sizeof(*u));

	if (!u)
		return NULL;
	*u = (struct uart){
		.device.ops = &ops,
		.out = out,
		.irq = irq,
		.trigger = 1,
	};
	u->msr = modem_lines(u);
	if (pthread_mutex_init(&u->lock, NULL)) {
		free(u);
		return NULL;
	}
	return &u->device;
}

size_t uart_input(struct device *uart, const uint8_t *bytes, size_t len)
{
	struct uart *u = (struct uart *)uart;
	size_t n = 0;

	pthread_mutex_lock(&u->lock);
	while (n < len && has_room(u))
		receive(u, bytes[n++]);
	u->starving = n < len;
	update_irq(u);
	pthread_mutex_unlock(&u->lock);
	return n;
}

void uart_on_room(struct device *uart, void (*room)(void *ctx), void *ctx)
{
	struct uart *u = (struct uart *)uart;

	pthread_mutex_lock(&u->lock);
	u->room = room;
	u->room_ctx = ctx;
	pthread_mutex_unlock(&u->lock);
}
