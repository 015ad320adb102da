/* SPDX-License-Identifier: MIT */
/*
 * Bodies of the control API as JSON: what RFC 8259 allows is understood, and
 * then is or is not what was wanted; what it does not allow is refused as such.
 * Of what it leaves open: duplicates, NULs, lone surrogates, byte order marks
 * and numbers without an exact value are refused. (E1 to E4, E10.)
 */
#include "tests/unit/api_fixture.h"

#include <jansson.h>

static struct fixture f;

static int start(void **state)
{
	(void)state;
	fixture_start(&f, 5000);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

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
	assert_int_equal(a.status, 400);
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

/* E1, what must be accepted. */
static void json_is_understood(void **state)
{
	(void)state;
	static const char *const good[] = {
		"[]",
		"{}",
		" [] ",
		"\t\r\n{ }\n",
		"[[],[[]]]",
		"[{},{\"\":0}]",
		"{\"a\":{\"b\":[{\"c\":null}]}}",
		"[true,false,null]",
		/* alone */
		"0",
		"-1",
		"1.5",
		"true",
		"false",
		"null",
		"\"\"",
		"\"a\"",
		/* numbers */
		"[0]",
		"[-0]",
		"[10]",
		"[-12]",
		"[0.5]",
		"[-0.25]",
		"[1e5]",
		"[1E5]",
		"[1e+5]",
		"[1e-5]",
		"[0e1]",
		"[0E+1]",
		"[1.5e-3]",
		"[123456789012345678]",
		"[0.000000000000000000000000000001]",
		/* strings */
		"[\"\"]",
		"[\" \"]",
		"[\"a/b\"]",
		"[\"\x7f\"]",
		"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]",
		"[\"\\u0041\\u00e9\"]",
		"[\"\\uD83D\\uDE00\"]",
		"[\"\\ufdd0\"]",
		"[\"\\uffff\"]",
		"[\"\xc3\xa9\"]",
		"[\"\xe2\x82\xac\"]",
		"[\"\xe2\x80\xa8\"]",
		"[\"\xf0\x9f\x98\x80\"]",
		"[\"\xf4\x8f\xbf\xbf\"]",
		"{\"\\u0061\":1}",
		"{\"__proto__\":[]}",
		"[\"# // /* ' no comment */\"]",
	};
	char text[512];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		verdict("/vm", good[i], strlen(good[i]), text);
		if (!is_understood(text))
			fail_msg("%s: %s", good[i], text);
	}
	assert_int_equal(fake_deeds(&f.vm), 0);
}

/* E1 and E4, what must not. */
static void what_is_no_json_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		" ",
		"\n",
		"[",
		"]",
		"{",
		"}",
		"[[]",
		"[]]",
		"{]",
		"[}",
		"[] []",
		"{}{}",
		"[]x",
		"{} #",
		"{}//",
		"[]/**/",
		"x",
		"<null>",
		/* commas and colons */
		"[1,]",
		"[,1]",
		"[,]",
		"[1,,2]",
		"[1 2]",
		"[\"a\" \"b\"]",
		"[1:2]",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{,\"a\":1}",
		"{\"a\":1 \"b\":2}",
		"{\"a\" 1}",
		"{\"a\"::1}",
		"{:1}",
		"{\"a\",1}",
		"{1:1}",
		"{a:1}",
		"{'a':1}",
		"{\"a\":1,,\"b\":2}",
		"{null:1}",
		"{\"a\":1 x}",
		"{[1]:1}",
		/* numbers */
		"[01]",
		"[-01]",
		"[00]",
		"[1.]",
		"[.5]",
		"[-.5]",
		"[-]",
		"[+1]",
		"[++1]",
		"[--1]",
		"[1-2]",
		"[1e]",
		"[1e+]",
		"[1ee2]",
		"[1e2.5]",
		"[0x10]",
		"[1_000]",
		"[1 000]",
		"[Infinity]",
		"[-Infinity]",
		"[NaN]",
		"[nan]",
		"[1/2]",
		"[1+2]",
		"[-2.]",
		"[2.e3]",
		"[0.e1]",
		"[\xef\xbc\x91]",
		"[1a]",
		"[1\xe5]",
		/* words */
		"[nul]",
		"[tru]",
		"[fals]",
		"[True]",
		"[NULL]",
		"[truefalse]",
		"[true,fals]",
		/* strings */
		"[\"a]",
		"[\"a",
		"[\"a\\\"]",
		"[\"\\\"]",
		"[\"\\x41\"]",
		"[\"\\a\"]",
		"[\"\\u12\"]",
		"[\"\\u12g4\"]",
		"[\"\\U0041\"]",
		"[\"\\\xc3\xa9\"]",
		"['a']",
		"[a]",
		"[\"a\nb\"]",
		"[\"\t\"]",
		"[\"\x1f\"]",
		"[\\n]",
		"[\"a\" x]",
		"[\\u0041]",
		"\"a",
		"'a'",
		/* UTF-8 */
		"[\"\xff\"]",
		"[\"\xc3\"]",
		"[\"\xc0\xaf\"]",
		"[\"\xe0\x80\xaf\"]",
		"[\"\xed\xa0\x80\"]",
		"[\"\xf4\x90\x80\x80\"]",
		"[\"\xf8\x88\x80\x80\x80\"]",
		"[\xe9]",
		"{\"\xff\":1}",
		"[\"\xe2\x82\"]",
		"\xe2\x80\xa8[]",
		"\xc2\xa0[]",
		"[\f]",
		"[\v]",
		/* left open by the RFC, or by us */
		"[\"\\u0000\"]",
		"{\"\\u0000\":1}",
		"[\"\\ud800\"]",
		"[\"\\udc00\"]",
		"[\"\\ud800\\u0041\"]",
		"\xef\xbb\xbf{}",
		"{\"a\":1,\"a\":1}",
		"{\"a\":1,\"b\":2,\"\\u0061\":3}",
		"[1e400]",
		"[-1e400]",
		"[9223372036854775808]",
		"[-9223372036854775809]",
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(json_is_understood),
		TEST(what_is_no_json_is_refused),
		TEST(a_nul_is_refused),
		TEST(large_bodies_are_refused),
		TEST(numbers_are_exact_or_refused),
		TEST(injections_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
