// SPDX-License-Identifier: MIT
/*
 * report.h - what the files that ask the server of its tasks share.
 *
 * One thread at a time.
 */
#pragma once

#include <wyn/client.h>

#include "client/client.h"

/* wyn_report_broken - the answer cannot be: that ends the connection. Returns:
 * the error that ended it. */
int wyn_report_broken(struct wyn_client *client, const char *what);

/* wyn_report_task - a task as callers see it, which borrows its texts. */
struct wyn_client_task wyn_report_task(const Wyn__V1__Task *task);
