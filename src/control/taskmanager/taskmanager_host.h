/* taskmanager_host.h - the task manager as a host of tasks in the job master's own process. */
#pragma once
#include "control/jobmanager/task_host.h"

struct task_host *taskmanager_host_create(struct sys *sys, struct log *log);
struct taskmanager *taskmanager_of_host(struct task_host *h); /* of this kind, deployed */
