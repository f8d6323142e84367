/* Position-independent routines for tracer::Injection::Run: arguments in rdi, rsi, rdx; result in rbp when they stop themselves.
   They touch no stack of the process and keep their state in registers that a system call preserves. */

/* The end of each, with its result in rax: the thread sends itself SIGSTOP, which neither a mask nor a handler can keep from its
   tracer, and which stops the process if there is none any more. What follows is never executed by a living tracer's tracee. */
    .macro finish
    mov %rax, %rbp
    mov $39, %eax              /* getpid */
    syscall
    mov %eax, %edi
    mov $186, %eax             /* gettid */
    syscall
    mov %eax, %esi
    mov $19, %edx              /* SIGSTOP */
    mov $234, %eax             /* tgkill */
    syscall
    jmp .
    .endm

    .text
    .globl mcr_injected_begin
mcr_injected_begin:

    .globl mcr_injected_stop
    .globl mcr_injected_stop_end
mcr_injected_stop:
    finish
mcr_injected_stop_end:

/* One system call: its number and arguments are in the registers of the kernel's convention. */
    .globl mcr_injected_call
    .globl mcr_injected_call_end
mcr_injected_call:
    syscall
    finish
mcr_injected_call_end:

/* rdi: array of struct InjectedCall, rsi: its length. Makes every call, failed ones included. */
    .globl mcr_injected_batch
    .globl mcr_injected_batch_end
mcr_injected_batch:
    mov %rdi, %r12
    mov %rsi, %r13
1:  test %r13, %r13
    jz 2f
    mov (%r12), %rax
    mov 8(%r12), %rdi
    mov 16(%r12), %rsi
    mov 24(%r12), %rdx
    mov 32(%r12), %r10
    mov 40(%r12), %r8
    mov 48(%r12), %r9
    syscall
    mov %rax, 56(%r12)
    add $64, %r12
    dec %r13
    jmp 1b
2:  xor %eax, %eax
    finish
mcr_injected_batch_end:

/* rdi: struct prctl_mm_map, rsi: its size, rdx: a writable int. Sets the map from a child that shares the memory and owns a
   new user namespace: PR_SET_MM_MAP with exe_fd asks for a capability in the caller's own user namespace only. The child is
   untraced (CLONE_UNTRACED), sends no signal (exit signal 0), and has ended when clone returns (CLONE_VFORK). Returns 0 or -errno. */
    .globl mcr_injected_set_mm_map
    .globl mcr_injected_set_mm_map_end
mcr_injected_set_mm_map:
    mov %rdi, %r12
    mov %rsi, %r13
    mov %rdx, %r14
    mov $0x10804100, %edi      /* CLONE_NEWUSER | CLONE_UNTRACED | CLONE_VFORK | CLONE_VM */
    xor %esi, %esi
    xor %edx, %edx
    xor %r10d, %r10d
    xor %r8d, %r8d
    mov $56, %eax              /* clone */
    syscall
    test %rax, %rax
    js 3f
    jz 2f
    mov %rax, %r15
1:  mov %r15, %rdi
    mov %r14, %rsi
    mov $0x40000000, %edx      /* __WALL */
    xor %r10d, %r10d
    mov $61, %eax              /* wait4 */
    syscall
    cmp $-4, %rax              /* -EINTR */
    je 1b
    test %rax, %rax
    js 3f
    mov (%r14), %eax
    test $0x7f, %al            /* killed by a signal: -EINTR, which prctl never returns */
    mov $-4, %rdx
    cmovnz %rdx, %rax
    jnz 3f
    shr $8, %eax
    neg %rax
3:  finish
2:  mov $35, %edi              /* PR_SET_MM */
    mov $14, %esi              /* PR_SET_MM_MAP */
    mov %r12, %rdx
    mov %r13, %r10
    xor %r8d, %r8d
    mov $157, %eax             /* prctl */
    syscall
    neg %eax
    mov %eax, %edi
    mov $60, %eax              /* exit */
    syscall
mcr_injected_set_mm_map_end:

/* rdi: three writable ints. Makes a copy of the process that closes all descriptors but a pair of sockets. It ends when nothing holds
   the second of them any more, once a byte was sent to it, or when that does not come. It is forked by a child that shares the memory
   and has ended when this is over: so it is an orphan, no child of the process. Writes the copy's pid or -errno, and the numbers that
   its sockets have there; returns 0 or -errno. Forks leave out the pages that are ours: the copy gets the one that this lies in,
   and has none that it may write to. */
    .globl mcr_injected_twin
    .globl mcr_injected_twin_end
mcr_injected_twin:
.Ltwin:
    mov %rdi, %r13
    movl $0, (%r13)
    lea .Ltwin(%rip), %rdi
    and $-4096, %rdi
    mov $4096, %esi
    mov $11, %edx              /* MADV_DOFORK */
    mov $28, %eax              /* madvise */
    syscall
    mov $1, %edi               /* AF_UNIX */
    mov $0x80005, %esi         /* SOCK_SEQPACKET | SOCK_CLOEXEC */
    xor %edx, %edx
    lea 4(%r13), %r10
    mov $53, %eax              /* socketpair */
    syscall
    test %rax, %rax
    js 4f
    mov 4(%r13), %r12d
    mov 8(%r13), %r14d
    mov $0x804100, %edi        /* CLONE_UNTRACED | CLONE_VFORK | CLONE_VM */
    xor %esi, %esi
    xor %edx, %edx
    xor %r10d, %r10d
    xor %r8d, %r8d
    mov $56, %eax              /* clone */
    syscall
    test %rax, %rax
    js 3f
    jz 2f
    mov %rax, %r15
1:  mov %r15, %rdi
    xor %esi, %esi
    mov $0x40000000, %edx      /* __WALL */
    xor %r10d, %r10d
    mov $61, %eax              /* wait4 */
    syscall
    cmp $-4, %rax              /* -EINTR */
    je 1b
    test %rax, %rax
    js 3f
    xor %eax, %eax
3:  mov %rax, %r15
    mov %r12d, %edi
    mov $3, %eax               /* close */
    syscall
    mov %r14d, %edi
    mov $3, %eax               /* close */
    syscall
    mov %r15, %rax
4:  finish
2:  mov $0x800011, %edi        /* CLONE_UNTRACED, SIGCHLD */
    xor %esi, %esi
    xor %edx, %edx
    xor %r10d, %r10d
    xor %r8d, %r8d
    mov $56, %eax              /* clone */
    syscall
    test %rax, %rax
    jz 5f
    mov %eax, (%r13)
    xor %edi, %edi
    mov $60, %eax              /* exit */
    syscall
5:  test %r12d, %r12d          /* the copy: the first socket has the lower number */
    jz 6f
    xor %edi, %edi
    lea -1(%r12), %esi
    xor %edx, %edx
    mov $436, %eax             /* close_range */
    syscall
6:  lea 1(%r12), %edi
    lea -1(%r14), %esi
    xor %edx, %edx
    mov $436, %eax             /* close_range; -EINVAL if there is nothing in between */
    syscall
    lea 1(%r14), %edi
    mov $-1, %esi
    xor %edx, %edx
    mov $436, %eax             /* close_range */
    syscall
    lea .Lpatience(%rip), %r15
    lea .Lforever(%rip), %rbx
7:  mov %r12d, %edi
    mov $1, %esi               /* SOL_SOCKET */
    mov $20, %edx              /* SO_RCVTIMEO */
    mov %r15, %r10
    mov $16, %r8d
    mov $54, %eax              /* setsockopt */
    syscall
8:  mov %r12d, %edi
    xor %esi, %esi
    xor %edx, %edx
    mov $0x20, %r10d           /* MSG_TRUNC: how long it was, of what there is no room for */
    xor %r8d, %r8d
    xor %r9d, %r9d
    mov $45, %eax              /* recvfrom */
    syscall
    cmp $-4, %rax              /* -EINTR */
    je 8b
    test %rax, %rax
    jle 9f
    mov %r14d, %edi
    mov $3, %eax               /* close */
    syscall
    mov %rbx, %r15
    jmp 7b
9:  xor %edi, %edi
    mov $231, %eax             /* exit_group */
    syscall
    .balign 8
.Lpatience:                    /* struct timeval */
    .quad 10, 0
.Lforever:
    .quad 0, 0
mcr_injected_twin_end:

/* rdi: array of struct InjectedFunctionCall, rsi: its length, rdx: the end of a stack, aligned as before a call. Makes every call,
   on that stack: what the functions leave there would else be on the thread's own. Functions keep rbx and r12 to r15. */
    .globl mcr_injected_call_functions
    .globl mcr_injected_call_functions_end
mcr_injected_call_functions:
    mov %rdi, %rbx
    mov %rsi, %r12
    mov %rsp, %r13
    mov %rdx, %rsp
1:  test %r12, %r12
    jz 2f
    mov 8(%rbx), %rdi
    mov 16(%rbx), %rsi
    xor %eax, %eax
    call *(%rbx)
    mov %rax, 24(%rbx)
    add $32, %rbx
    dec %r12
    jmp 1b
2:  mov %r13, %rsp
    xor %eax, %eax
    finish
mcr_injected_call_functions_end:

/* rdi: a number that all descriptors are below, rsi: array of ints, rdx: its length. Finds the descriptors of epoll sets: asked to
   forget a descriptor that is in no set, only a set answers -ENOENT. Returns how many there are, though they may be more than
   find room, or -errno. */
    .globl mcr_injected_find_epoll_sets
    .globl mcr_injected_find_epoll_sets_end
mcr_injected_find_epoll_sets:
    mov %rdi, %r12
    mov %rsi, %r13
    mov %rdx, %r14
    xor %edi, %edi
    mov $0x80000, %esi         /* EFD_CLOEXEC */
    mov $290, %eax             /* eventfd2 */
    syscall
    test %rax, %rax
    js 5f
    mov %rax, %r15
    xor %ebx, %ebx             /* the descriptor that is asked */
    xor %ebp, %ebp             /* sets found */
1:  cmp %r12, %rbx
    jae 4f
    mov %ebx, %edi
    mov $2, %esi               /* EPOLL_CTL_DEL */
    mov %r15d, %edx
    xor %r10d, %r10d
    mov $233, %eax             /* epoll_ctl */
    syscall
    cmp $-2, %rax              /* -ENOENT */
    jne 3f
    cmp %r14, %rbp
    jae 2f
    mov %ebx, (%r13,%rbp,4)
2:  inc %rbp
3:  inc %rbx
    jmp 1b
4:  mov %r15d, %edi
    mov $3, %eax               /* close */
    syscall
    mov %rbp, %rax
5:  finish
mcr_injected_find_epoll_sets_end:

    .globl mcr_injected_end
mcr_injected_end:

    .section .note.GNU-stack,"",@progbits
