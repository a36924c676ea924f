// SPDX-License-Identifier: MIT
/*
 * options.c - which commands and options there are.
 */
#include "client/wynctl/options.h"

#include <assert.h>

#include "base/compiler.h"

#define ALL	  UINT32_MAX
#define XARGS	  WYN_COMMAND_XARGS
#define TASKS	  (WYN_COMMANDS_RUN | WYN_COMMANDS_PROGRAM)
#define PROGRAM	  WYN_COMMANDS_PROGRAM
#define BENCH	  WYN_COMMAND_BENCH
#define LABELLED  (WYN_COMMAND_CALL | WYN_COMMAND_MAP | PROGRAM)
#define DETACHED  (WYN_COMMAND_CALL | WYN_COMMAND_RUN)
#define FLIES	  (WYN_COMMAND_MAP | WYN_COMMAND_REPEAT | WYN_COMMAND_BENCH)
#define MS_MAX	  (UINT64_C(365) * 86400 * 1000)
#define AT(field) offsetof(struct wyn_arguments, field)

#define TEXT_OF(number) #number
#define TEXT(number)	TEXT_OF(number)
#define JOBS		TEXT(WYN_JOBS_DEFAULT)
#define FLIGHT		TEXT(WYN_FLIGHT_DEFAULT)

const struct wyn_option wyn_options[] = {
	{"connect", 'c', WYN_OPTION_TEXT, AT(connect), ALL, 0, 0, "ADDR",
		"unix:PATH or tcp:HOST:PORT; else WYN_CONNECT, else the "
		"default sockets"},
	{"json", 0, WYN_OPTION_FLAG, AT(json), ALL, 0, 0, NULL, "print JSON"},
	{"help", 'h', WYN_OPTION_FLAG, AT(help), ALL, 0, 0, NULL, "print this"},
	{"version", 'V', WYN_OPTION_FLAG, AT(version), ALL, 0, 0, NULL,
		"print the version of wynctl"},
	{"raw", 'r', WYN_OPTION_FLAG, AT(raw),
		WYN_COMMAND_CALL | WYN_COMMAND_LOGS, 0, 0, NULL,
		"print the value as it is, without a newline after it"},
	{"stream", 's', WYN_OPTION_FLAG, AT(stream), WYN_COMMAND_CALL, 0, 0,
		NULL, "print partial values as they come, and show progress"},
	{"files", 'f', WYN_OPTION_FLAG, AT(files), WYN_COMMAND_MAP, 0, 0, NULL,
		"lines are names of files, whose content is the argument"},
	{"null", '0', WYN_OPTION_FLAG, AT(null), WYN_COMMAND_MAP | XARGS, 0, 0,
		NULL, "lines of the input end with NUL, not newline"},
	{"unordered", 'u', WYN_OPTION_FLAG, AT(unordered), WYN_COMMAND_MAP, 0,
		0, NULL, "print results as they come"},
	{"jobs", 'j', WYN_OPTION_COUNT, AT(jobs), FLIES, 1, WYN_JOBS_MAX, "N",
		"at most N tasks in flight (map " JOBS
		", repeat and bench " FLIGHT ")"},
	{"in-flight", 0, WYN_OPTION_COUNT, AT(jobs), FLIES, 1, WYN_JOBS_MAX,
		"N", "the same as --jobs"},
	{"batch", 'b', WYN_OPTION_COUNT, AT(batch), WYN_COMMAND_REPEAT | BENCH,
		1, WYN_BATCH_MAX, "N",
		"tasks in one request (repeat " TEXT(
			WYN_BATCH_DEFAULT) ", bench 1)"},
	{"rate", 0, WYN_OPTION_COUNT, AT(rate), BENCH, 1, WYN_BENCH_RATE_MAX,
		"R", "open loop: R tasks a second, whatever comes back"},
	{"connections", 0, WYN_OPTION_COUNT, AT(connections), BENCH, 1,
		WYN_BENCH_CONNECTIONS_MAX, "N",
		"over which the tasks are dealt out (1)"},
	{"size", 0, WYN_OPTION_BYTES, AT(size), BENCH, 0, WYN_BENCH_SIZE_MAX,
		"BYTES",
		"of each argument, as 512, 64K, 1M (" TEXT(
			WYN_BENCH_SIZE_DEFAULT) ")"},
	{"duration", 0, WYN_OPTION_MS, AT(duration_ms), BENCH, 1, MS_MAX,
		"TIME", "measure so long (10s)"},
	{"warmup", 0, WYN_OPTION_MS, AT(warmup_ms), BENCH, 0, MS_MAX, "TIME",
		"run so long before that (1s; with --count 0)"},
	{"timeout", 't', WYN_OPTION_MS, AT(timeout_ms), TASKS, 1, MS_MAX,
		"TIME", "a task may run so long, as 500ms, 30s, 5m"},
	{"deadline", 'd', WYN_OPTION_MS, AT(deadline_ms), TASKS, 1, MS_MAX,
		"TIME", "a task must end so long after its submit"},
	{"priority", 'p', WYN_OPTION_PRIORITY, AT(priority), TASKS, 0, 0, "P",
		"low, normal or high"},
	{"count", 'n', WYN_OPTION_COUNT, AT(count),
		WYN_COMMAND_PING | WYN_COMMAND_STATS | BENCH, 1, WYN_COUNT_MAX,
		"N",
		"ping: round trips (" TEXT(
			WYN_PINGS_DEFAULT) "); bench: tasks to measure, not "
					   "--duration; stats: times to "
					   "--watch"},
	{"watch", 'w', WYN_OPTION_FLAG, AT(watch), WYN_COMMAND_STATS, 0, 0,
		NULL, "print rates every TIME (1s) until SIGINT"},
	{"function", 0, WYN_OPTION_TEXT, AT(function), WYN_COMMAND_LIST, 0, 0,
		"FUNC", "only tasks of that function"},
	{"state", 0, WYN_OPTION_STATE, AT(state), WYN_COMMAND_LIST, 0, 0,
		"STATE",
		"only uploading, queued, next, running, output or ended"},
	{"connection", 0, WYN_OPTION_COUNT, AT(connection),
		WYN_COMMAND_LIST | WYN_COMMAND_EXPLAIN, 1, UINT64_MAX, "N",
		"only tasks of that connection; explain: the number is a seq "
		"of it"},
	{"after", 0, WYN_OPTION_COUNT, AT(after), WYN_COMMAND_LIST, 0,
		UINT64_MAX, "ID", "only tasks with ids above that one"},
	{"limit", 0, WYN_OPTION_COUNT, AT(limit), WYN_COMMAND_LIST, 1,
		UINT64_MAX, "N", "at most N tasks"},
	{"arg-file", 'a', WYN_OPTION_TEXT, AT(input), XARGS, 0, 0, "FILE",
		"read lines from there, not from standard input"},
	{"max-args", 'n', WYN_OPTION_COUNT, AT(max_args), XARGS, 1,
		WYN_XARGS_LINES_MAX, "N", "at most N lines for a command (1)"},
	{"jobs", 'j', WYN_OPTION_COUNT, AT(slots), XARGS, 0, WYN_JOBS_MAX, "N",
		"at most N commands at a time, 0 = as many as possible (number "
		"of CPUs)"},
	{"keep-order", 'k', WYN_OPTION_FLAG, AT(keep_order), XARGS, 0, 0, NULL,
		"print outputs in the order of the input"},
	{"line-buffer", 0, WYN_OPTION_FLAG, AT(line_buffer), XARGS, 0, 0, NULL,
		"print outputs line by line as they come"},
	{"ungroup", 'u', WYN_OPTION_FLAG, AT(ungroup), XARGS, 0, 0, NULL,
		"print outputs as they come"},
	{"tag", 0, WYN_OPTION_FLAG, AT(tag), XARGS, 0, 0, NULL,
		"put the input line and a tab before each line of output"},
	{"halt", 0, WYN_OPTION_TEXT, AT(halt), XARGS, 0, 0, "WHEN",
		"never, or soon or now, then fail, success or done with a "
		"number or share, as now,fail=1 or soon,success=10%"},
	{"joblog", 0, WYN_OPTION_TEXT, AT(joblog), XARGS, 0, 0, "FILE",
		"write a line there for each command that ended"},
	{"resume", 0, WYN_OPTION_FLAG, AT(resume), XARGS, 0, 0, NULL,
		"go on with --joblog: leave out what is in it"},
	{"dry-run", 0, WYN_OPTION_FLAG, AT(dry_run), XARGS, 0, 0, NULL,
		"print the commands and run none"},
	{"progress", 0, WYN_OPTION_FLAG, AT(progress), XARGS, 0, 0, NULL,
		"show on a terminal how far it is, and when it will end"},
	{"eta", 0, WYN_OPTION_FLAG, AT(progress), XARGS, 0, 0, NULL,
		"the same as --progress"},
	{"detach", 0, WYN_OPTION_FLAG, AT(detach), DETACHED, 0, 0, NULL,
		"print its id and leave it; its end and output are kept"},
	{"label", 'l', WYN_OPTION_TEXT, AT(label), LABELLED | WYN_COMMAND_LIST,
		0, 0, "TEXT",
		"list: only tasks with that label; else: give it to the task"},
	{"follow", 'f', WYN_OPTION_FLAG, AT(follow), WYN_COMMAND_LOGS, 0, 0,
		NULL, "go on until the task has ended"},
	{"env", 'e', WYN_OPTION_LIST, AT(env), PROGRAM, 0, 0, "VAR",
		"NAME=VALUE, or NAME as it is here: a variable more; again for "
		"more"},
	{"cwd", 0, WYN_OPTION_TEXT, AT(cwd), PROGRAM, 0, 0, "DIR",
		"run it in that directory, not in this one"},
	{"grace", 0, WYN_OPTION_MS, AT(grace_ms), PROGRAM | WYN_COMMAND_CANCEL,
		1, MS_MAX, "TIME",
		"from SIGTERM to SIGKILL when it is cancelled"},
	{"memory", 0, WYN_OPTION_BYTES, AT(memory_bytes), PROGRAM, 1,
		UINT64_MAX, "BYTES", "its processes may have so much, as 512M"},
	{"cpu", 0, WYN_OPTION_COUNT, AT(cpu_percent), PROGRAM, 1, UINT32_MAX,
		"PERCENT", "of one CPU: 200 is two of them"},
	{"processes", 0, WYN_OPTION_COUNT, AT(processes), PROGRAM, 1,
		UINT32_MAX, "N", "it may have so many at a time"},
	{"user", 0, WYN_OPTION_TEXT, AT(user), PROGRAM, 0, 0, "USER",
		"run it as that user, where the daemon allows it"},
	{"merge", 'm', WYN_OPTION_FLAG, AT(merge), PROGRAM, 0, 0, NULL,
		"what it writes to standard error goes to its output"},
};
static_assert(WYN_COUNT_OF(wyn_options) <= WYN_OPTIONS_MAX, "too many");

const size_t wyn_options_count = WYN_COUNT_OF(wyn_options);

const struct wyn_command wyn_commands[] = {
	{WYN_COMMAND_CALL, "call", "FUNC [ARG | -]", 1, 2,
		"run one task and print its value"},
	{WYN_COMMAND_MAP, "map", "FUNC [LINE...]", 1, SIZE_MAX,
		"run one task for each line of input"},
	{WYN_COMMAND_XARGS, "xargs", "[--] CMD [ARG...]", 1, SIZE_MAX,
		"run one command for each line of input"},
	{WYN_COMMAND_REPEAT, "repeat", "FUNC N", 2, 2,
		"run N tasks and check every result"},
	{WYN_COMMAND_BENCH, "bench", "FUNC [ARG]", 1, 2,
		"measure the daemon under load: closed or open loop"},
	{WYN_COMMAND_RUN, "run", "[--] CMD [ARG...]", 1, SIZE_MAX,
		"run a command as if it were run here"},
	{WYN_COMMAND_FUNCTIONS, "functions", "", 0, 0,
		"list the functions of the daemon"},
	{WYN_COMMAND_LIST, "list", "", 0, 0,
		"list the tasks that wait or run, or are kept"},
	{WYN_COMMAND_SHOW, "show", "ID", 1, 1,
		"say what a task is, and how it goes or went"},
	{WYN_COMMAND_LOGS, "logs", "ID", 1, 1,
		"print what a detached task wrote"},
	{WYN_COMMAND_WAIT, "wait", "ID...", 1, SIZE_MAX,
		"wait for detached tasks, and exit as the last one"},
	{WYN_COMMAND_CANCEL, "cancel", "ID...", 1, SIZE_MAX, "end tasks"},
	{WYN_COMMAND_SIGNAL, "signal", "SIG ID...", 2, SIZE_MAX,
		"send a signal to the processes of commands"},
	{WYN_COMMAND_EXPLAIN, "explain", "ID | SEQ", 1, 1,
		"say what one task waits for, or where it runs"},
	{WYN_COMMAND_MODULE, "module", "list | check FILE", 1, 2,
		"list the modules of the daemon, or check a file"},
	{WYN_COMMAND_STATS, "stats", "[TIME]", 0, 1,
		"print the daemon's counters, rates and latency"},
	{WYN_COMMAND_PING, "ping", "", 0, 0, "measure round trips"},
	{WYN_COMMAND_VERSION, "version", "", 0, 0,
		"print the versions of wynctl and of the daemon"},
	{WYN_COMMAND_DRAIN, "drain", "", 0, 0,
		"ask the daemon to finish its work and end"},
	{WYN_COMMAND_RELOAD, "reload", "", 0, 0,
		"have the daemon read its configuration and modules anew"},
	{WYN_COMMAND_HELP, "help", "[COMMAND]", 0, 1,
		"print help, as --help does"},
};

const size_t wyn_commands_count = WYN_COUNT_OF(wyn_commands);

const struct wyn_command *wyn_command_by_id(unsigned id)
{
	for (size_t i = 0; i < wyn_commands_count; i++) {
		if (wyn_commands[i].id == id) {
			return &wyn_commands[i];
		}
	}
	return NULL;
}
