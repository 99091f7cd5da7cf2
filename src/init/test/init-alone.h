/* What init's side of its sockets calls and a target of it does not try: nothing happens, or it must not be called. */
#ifndef GSUP_INIT_ALONE_H
#define GSUP_INIT_ALONE_H
uint64_t set_mask(uint64_t mask) { return mask; }
bool keep_descriptor(int fd) { (void)fd; return false; }
_Noreturn void become_supervisor(char **argv, int socket, bool say_why, bool visits) { (void)argv; (void)socket; (void)say_why; (void)visits; abort(); }
void run_obey(struct run *run, const void *frame) { (void)run; (void)frame; abort(); }
void apart_ended(const struct rusage *usage) { (void)usage; }
void state_visit(const struct parsed *p) { (void)p; abort(); }
bool control_watched;
void control_watch(int poller, bool on) { (void)poller; control_watched = on; }
void rest_buffer(void *buffer, size_t size) { (void)buffer; (void)size; }
void control_refuse(const char *why) { (void)why; abort(); }
pid_t apart_pid;
int world_waitid(idtype_t type, id_t id, siginfo_t *si, int options, struct rusage *usage) { (void)type; (void)id; (void)si; (void)options; (void)usage; abort(); }
int coordinator_main(const struct launch *l, int socket, int signals, bool hooks) { (void)l; (void)socket; (void)signals; (void)hooks; abort(); }
#endif
