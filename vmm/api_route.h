/* SPDX-License-Identifier: MIT */
/* What each request of the control API does: the table of its routes. */
#ifndef VMM_API_ROUTE_H
#define VMM_API_ROUTE_H

#include "vmm/http.h"
#include "vmm/status.h"

/* Answer the complete request @request; what it asks for has happened, or
 * nothing has. The caller frees the reply's body. */
struct http_reply api_answer(const struct vm_control *vm,
			     const struct http *request);

#endif
