/* SPDX-License-Identifier: MIT */
/*
 * Bodies of the control API as JSON: what RFC 8259 allows is understood, and
 * then is or is not what was wanted; what it does not allow is refused as such.
 * Of what it leaves open: duplicates, NULs, lone surrogates, byte order marks
 * and numbers without an exact value are refused. (E1 to E4, E10.)
 */
#include "tests/unit/api_each.h"

#include <jansson.h>

/* What is wrong with the @len bytes at @body; "" if nothing is. */
static void verdict(const char *target, const char *body, size_t len,
		    char to[512])
{
	int fd = connect_at(f.path);
	const char *text;
	struct answer a;
	json_t *fault;

	send_request(fd, strcmp(target, "/vm") ? "PUT" : "PATCH", target, body,
		     len);
	receive(fd, &a);
	close(fd);
	to[0] = '\0';
	if (a.status == 204)
		return;
	assert_int_equal(a.status, len > HTTP_BYTES ? 413 : 400);
	fault = json_loads(a.body, 0, NULL);
	assert_int_equal(json_unpack_ex(fault, NULL, JSON_STRICT, "{s:s}",
					"fault_message", &text),
			 0);
	snprintf(to, 512, "%s", text);
	json_decref(fault);
}

/* It is JSON, but no state. */
static bool is_understood(const char *text)
{
	return strstr(text, "Expected object") ||
	       strstr(text, "item not found");
}

#define CASE_BYTES 300000

/* What a line of json.cases says after its name. */
static size_t decode(const char *from, char *to)
{
	size_t len = 0;

	while (*from) {
		size_t begin = len, times = 1;
		char *end;

		if (!strncmp(from, "%(", 2)) {
			times = strtoul(from + 2, &end, 10);
			from = end + 1;
		}
		for (; *from && strncmp(from, "%(", 2); from++, len++) {
			to[len] = *from;
			if (*from != '%')
				continue;
			assert_int_equal(sscanf(from, "%%%2hhx", &to[len]), 1);
			from += 2;
		}
		size_t run = len - begin;
		assert_true(begin + run * times <= CASE_BYTES);
		for (size_t i = 1; i < times; i++)
			memcpy(to + begin + i * run, to + begin, run);
		len = begin + run * times;
	}
	return len;
}

/* E1, and of E4 what concerns JSON: a line of json.cases. Its kind. */
static char judge(char *line)
{
	static char body[CASE_BYTES];
	bool ours = *line == '!';
	char *name = line + ours, *text = strchr(line, ' '), why[512];
	size_t len;

	assert_non_null(text);
	*text++ = '\0';
	text[strcspn(text, "\n")] = '\0';
	len = decode(text, body);
	verdict("/vm", body, len, why);
	if (!*why || (*name == 'y' && is_understood(why) == ours) ||
	    (*name == 'n' && is_understood(why)))
		fail_msg("%s: %s", name, why);
	return *name;
}

static void a_suites_cases_are_told_apart(void **state)
{
	FILE *cases = fopen("tests/unit/json.cases", "r");
	unsigned n['z'] = { 0 };
	char line[256];

	(void)state;
	assert_non_null(cases);
	while (fgets(line, sizeof(line), cases))
		if (*line != '#')
			n[(unsigned char)judge(line)]++;
	fclose(cases);
	assert_int_equal(n['y'], 95);
	assert_int_equal(n['n'], 188);
	assert_int_equal(n['i'], 35);
	assert_int_equal(fake_deeds(&f.vm), 0);
}

/* E1, what must be accepted and is not in the suite. */
static void json_is_understood(void **state)
{
	(void)state;
	static const char *const good[] = {
		"[[],[[]]]",
		"[{},{\"\":0}]",
		"{\"a\":{\"b\":[{\"c\":null}]}}",
		"\t\r\n{ }\n",
		"0",
		"[0E+1]",
		"[9223372036854775807,-9223372036854775808]",
		"[1.000000000000000005]",
		"{\"\\u0061\":1}",
		"{\"__proto__\":[]}",
	};
	char text[512];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		verdict("/vm", good[i], strlen(good[i]), text);
		if (!is_understood(text))
			fail_msg("%s: %s", good[i], text);
	}
	assert_int_equal(fake_deeds(&f.vm), 0);
}

/* The same of what must not; and what the RFC leaves open, but we do not. */
static void what_is_no_json_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"\n",
		"}",
		"[[]",
		"[}",
		"{} #",
		"[]/**/",
		"[1 2]",
		"{,\"a\":1}",
		"[00]",
		"[--1]",
		"[nan]",
		"[1/2]",
		"[truefalse]",
		"[\"\x1f\"]",
		"[\"\xe0\x80\xaf\"]",
		"\xe2\x80\xa8[]",
		"\xc2\xa0[]",
		"[\v]",
		"[\"\\ud800\"]",
		"[\"\\udc00\"]",
		"\xef\xbb\xbf{}",
		"{\"\xff\":1}",
		"{\"a\":1,\"b\":2,\"\\u0061\":3}",
		"[1e400]",
		"[-1e400]",
		"[9223372036854775808]",
		"[-9223372036854775809]",
		"[10000000000000000999]",
	};
	char text[512];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		verdict("/vm", bad[i], strlen(bad[i]), text);
		if (!*text || is_understood(text))
			fail_msg("%s: %s", bad[i], text);
	}
	assert_int_equal(fake_deeds(&f.vm), 0);
}

/* Other encodings have NULs; and so it goes for one anywhere. */
static void a_nul_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		size_t len;
	} bad[] = {
		{ "{}\0", 3 },	 { "\0{}", 3 },		  { "12\0", 3 },
		{ "{\0}", 3 },	 { "[\"a\0b\"]", 7 },	  { "\0[\0]", 4 },
		{ "[\0]\0", 4 }, { "\xff\xfe[\0]\0", 6 },
	};
	char text[512];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		verdict("/vm", bad[i].body, bad[i].len, text);
		assert_non_null(strstr(text, "NUL"));
	}
}

/* E2: deep, wide, long: within 64 KiB it is read, and is not what was wanted. */
static void large_bodies_are_refused(void **state)
{
	(void)state;
	static char body[65536];
	char text[512];
	size_t len = 1;

	for (size_t depth = 32; depth < 30000; depth *= 2) {
		memset(body, '[', depth);
		memset(body + depth, ']', depth);
		verdict("/vm", body, 2 * depth, text);
		assert_true(strstr(text, "depth") || is_understood(text));
	}
	body[0] = '{';
	for (unsigned i = 0; len < 60000; i++)
		len += (size_t)sprintf(body + len, "%s\"k%u\":%u", i ? "," : "",
				       i, i);
	body[len++] = '}';
	verdict("/vm", body, len, text);
	assert_non_null(strstr(text, "item not found: state"));
	len = (size_t)sprintf(body, "{\"state\":\"");
	memset(body + len, 'a', 60000);
	len += 60000;
	len += (size_t)sprintf(body + len, "\"}");
	verdict("/vm", body, len, text);
	assert_non_null(strstr(text, "no such state"));
	assert_int_equal(fake_deeds(&f.vm), 0);
}

/* E3: a number is what it says, or refused; none wraps. */
static void numbers_are_exact_or_refused(void **state)
{
	(void)state;
	static const struct {
		const char *number;
		uint64_t bytes; /* 0: refused */
	} cases[] = {
		{ "9007199254740993", 9007199254740993 },
		{ "9223372036854775807", INT64_MAX },
		{ "1", 1 },
		{ "-0", 0 },
		{ "9223372036854775808", 0 },
		{ "18446744073709551616", 0 },
		{ "18446744073709551617", 0 },
		{ "1e400", 0 },
		{ "1e19", 0 },
		{ "1.0", 0 },
		{ "-1", 0 },
		{ "-9223372036854775808", 0 },
		{ "0x10", 0 },
		{ "010", 0 },
		{ "\"1\"", 0 },
		{ "[1]", 0 },
		{ "null", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char body[64], text[512];
		int n = snprintf(body, sizeof(body), "{\"resident_bytes\":%s}",
				 cases[i].number);

		f.vm.resident = 77;
		verdict("/memory/resident", body, (size_t)n, text);
		if (cases[i].bytes || !strcmp(cases[i].number, "-0")) {
			assert_string_equal(text, "");
			assert_int_equal(f.vm.resident, cases[i].bytes);
		} else {
			assert_true(*text);
			assert_int_equal(f.vm.resident, 77);
		}
	}
}

/* E10, of the flat object with the most fields. */
static void injections_are_read_strictly(void **state)
{
	(void)state;
	static const struct {
		const char *body, *part; /* "": accepted */
	} cases[] = {
		{ "{}", "" },
		{ "{\"tier\":\"file\",\"full\":true}", "" },
		{ "{\"delay\":\"pareto\",\"delay_us\":100,\"shape\":1.5}", "" },
		{ "{\"lease_ms\":2147483647,\"seed\":9223372036854775807}",
		  "" },
		{ "{\"tier\":\"nbd\"}", "no such tier" },
		{ "{\"full\":1}", "full must be true or false" },
		{ "{\"full\":null}", "full" },
		{ "{\"stall\":\"on\"}", "stall" },
		{ "{\"delay\":\"gauss\"}", "delay must be none, fixed" },
		{ "{\"delay\":\"pareto\"}", "shape" },
		{ "{\"delay_us\":-1}", "10000000" },
		{ "{\"delay_us\":10000001}", "10000000" },
		{ "{\"slow_us\":1e308}", "10000000" },
		{ "{\"error_rate\":1.0001}", "0 to 1" },
		{ "{\"slow_share\":-0.1}", "0 to 1" },
		{ "{\"seed\":-1}", "seed must be 0 up" },
		{ "{\"lease_ms\":2147483648}", "lease_ms must be" },
		{ "{\"errors\":0.5}", "errors must be left out" },
		{ "[]", "Expected object" },
		{ "7", "Expected object" },
		{ "{\"shape\":\"1\"}", "shape must be a number" },
	};
	static const struct injection nothing;
	char text[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_inject(&f.vm, 0, &nothing);
		verdict("/pressure", cases[i].body, strlen(cases[i].body),
			text);
		if (cases[i].part[0] ? !strstr(text, cases[i].part) : *text)
			fail_msg("%s: %s", cases[i].body, text);
		if (*text)
			assert_memory_equal(&f.vm.injection[0], &nothing,
					    sizeof(nothing));
	}
	assert_true(f.vm.injection[1].lease_ms == INT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_suites_cases_are_told_apart),
		TEST(json_is_understood),
		TEST(what_is_no_json_is_refused),
		TEST(a_nul_is_refused),
		TEST(large_bodies_are_refused),
		TEST(numbers_are_exact_or_refused),
		TEST(injections_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
