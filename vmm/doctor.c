/* SPDX-License-Identifier: MIT */
#include "vmm/doctor.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "vmm/capsule.h"
#include "vmm/probe.h"

/* How a run can work here. */
struct prospect {
	bool kvm, capsule;
};

static struct prospect judge(void)
{
	struct complaint why;

	return (struct prospect){
		.kvm = kvm_usable(&why) && uffd_usable(&why),
		.capsule = capsule_usable(&why),
	};
}

static const char *verdict_text(struct prospect v)
{
	if (v.kvm && v.capsule)
		return "guests run on /dev/kvm, and in the capsule";
	if (v.kvm)
		return "guests run on /dev/kvm";
	if (v.capsule)
		return "guests run in the capsule";
	return "guests cannot run here: mend what says FAIL, or for the "
	       "capsule what says warn";
}

static void print_text(struct prospect v)
{
	static const char *const label[] = { [HEALTH_OK] = "ok",
					     [HEALTH_WARN] = "warn",
					     [HEALTH_FAIL] = "FAIL" };

	for (const struct doctor_probe *p = doctor_probes; p->name; p++) {
		struct finding f = { 0 };

		p->look(&f);
		printf("%-4s  %-12s %s\n", label[f.health], p->name,
		       f.text.text);
	}
	printf("%-4s  %-12s %s\n", v.kvm || v.capsule ? "ok" : "FAIL", "run",
	       verdict_text(v));
}

static json_t *check_json(const struct doctor_probe *p)
{
	static const char *const label[] = { [HEALTH_OK] = "ok",
					     [HEALTH_WARN] = "warn",
					     [HEALTH_FAIL] = "fail" };
	struct finding f = { 0 };

	p->look(&f);
	return json_pack("{s:s, s:s, s:s}", "name", p->name, "result",
			 label[f.health], "text", f.text.text);
}

static void print_json(struct prospect v)
{
	json_t *checks = json_array();

	for (const struct doctor_probe *p = doctor_probes; p->name; p++)
		if (json_array_append_new(checks, check_json(p)))
			errx(125, "doctor: no memory");
	json_t *report =
		json_pack("{s:i, s:b, s:b, s:o}", "version", 1, "kvm", v.kvm,
			  "capsule", v.capsule, "checks", checks);
	if (!report || json_dumpf(report, stdout, JSON_INDENT(2)))
		errx(125, "doctor: no memory");
	putchar('\n');
	json_decref(report);
}

int cmd_doctor(int argc, char **argv)
{
	bool json = argc == 1 && !strcmp(argv[0], "--json");

	if (argc > 0 && !json) {
		warnx("doctor: unknown option %s; `twofold doctor --help` "
		      "shows how",
		      argv[argc - 1]);
		return 2;
	}
	struct prospect v = judge();

	if (json)
		print_json(v);
	else
		print_text(v);
	return v.kvm || v.capsule ? 0 : 1;
}
