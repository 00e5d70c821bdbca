//! The system calls that a session may not make, in the spirit of Docker's default profile: what manages the
//! machine, makes namespaces, reads other processes or has been the way out of a sandbox before.
use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, sock_filter,
};

/// Refused whatever their arguments are, with "operation not permitted".
const REFUSED: &[i64] = &[
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fsconfig,
    libc::SYS_fspick,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_nfsservctl,
    libc::SYS_vhangup,
    libc::SYS_syslog,
    libc::SYS_lookup_dcookie,
    libc::SYS_fanotify_init,
    libc::SYS_mbind,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_set_mempolicy,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    #[cfg(target_arch = "x86_64")]
    libc::SYS__sysctl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ustat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_sysfs,
];

/// Answered with "no such system call", so that libraries take their older way: the flags of `clone3` lie in
/// memory where a filter cannot see them.
const UNKNOWN: &[i64] = &[
    libc::SYS_clone3,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
];

const NEW_NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];
/// Of another process these ask no more than the same user, whom the agent shares with its programs. As the first
/// process the agent has the id and the group 1; its other threads work on files only, which a program may slow down.
const AGENT: u64 = 1;
/// How a process is scheduled, by its id.
const SCHEDULING: [i64; 4] = [
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setattr,
];
/// How urgent processes are, by a kind and an id of that kind; with the kind that means all of a user.
const PRIORITY: [(i64, u64); 2] = [
    (libc::SYS_setpriority, libc::PRIO_USER as u64),
    (libc::SYS_ioprio_set, IOPRIO_WHO_USER),
];
/// From `linux/ioprio.h`.
const IOPRIO_WHO_USER: u64 = 3;
/// Typing into a terminal in another's name.
const FORGED_INPUT: [u64; 2] = [libc::TIOCSTI, libc::TIOCLINUX];
const FAMILIES: [libc::c_int; 4] = [
    libc::AF_UNIX,
    libc::AF_INET,
    libc::AF_INET6,
    libc::AF_NETLINK,
];

/// The filters as bubblewrap reads them from a file descriptor each.
pub(super) fn filters() -> Result<Vec<Vec<u8>>, seccompiler::BackendError> {
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> =
        REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let clone: Result<Vec<_>, _> = NEW_NAMESPACES
        .iter()
        .map(|flag| {
            let flag = u64::from(flag.cast_unsigned());
            rule(&[(0, SeccompCmpOp::MaskedEq(flag), flag)])
        })
        .collect();
    refused.insert(libc::SYS_clone, clone?);
    let ioctl: Result<Vec<_>, _> = FORGED_INPUT
        .iter()
        .map(|request| rule(&[(1, SeccompCmpOp::Eq, *request)]))
        .collect();
    refused.insert(libc::SYS_ioctl, ioctl?);
    let foreign: Vec<_> = FAMILIES
        .iter()
        .map(|family| (0, SeccompCmpOp::Ne, u64::from(family.cast_unsigned())))
        .collect();
    refused.insert(libc::SYS_socket, vec![rule(&foreign)?]);
    for call in SCHEDULING {
        refused.insert(call, vec![rule(&[(0, SeccompCmpOp::Eq, AGENT)])?]);
    }
    for (call, user) in PRIORITY {
        let agent = rule(&[(1, SeccompCmpOp::Eq, AGENT)])?;
        let all = rule(&[(0, SeccompCmpOp::Eq, user)])?;
        refused.insert(call, vec![agent, all]);
    }
    // Any thread's id would do for the limits of the whole agent, so that only a program's own are left.
    let foreign = rule(&[(0, SeccompCmpOp::Ne, 0)])?;
    refused.insert(libc::SYS_prlimit64, vec![foreign]);
    let unknown = UNKNOWN.iter().map(|call| (*call, Vec::new())).collect();
    let mut first = program(unknown, libc::ENOSYS)?;
    if cfg!(target_arch = "x86_64") {
        first = without_x32(first);
    }
    Ok(vec![bytes(&first), bytes(&program(refused, libc::EPERM)?)])
}

fn rule(conditions: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, seccompiler::BackendError> {
    let conditions: Result<Vec<_>, _> = conditions
        .iter()
        .map(|(argument, operator, value)| {
            SeccompCondition::new(*argument, SeccompCmpArgLen::Dword, operator.clone(), *value)
        })
        .collect();
    SeccompRule::new(conditions?)
}

fn program(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    errno: libc::c_int,
) -> Result<BpfProgram, seccompiler::BackendError> {
    let architecture = if cfg!(target_arch = "aarch64") {
        TargetArch::aarch64
    } else {
        TargetArch::x86_64
    };
    SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(errno.cast_unsigned()),
        architecture,
    )?
    .try_into()
}

/// Puts a refusal of x32 calls first: their numbers differ from the ones above and would pass.
fn without_x32(program: BpfProgram) -> BpfProgram {
    const LOAD_WORD: u16 = 0x20;
    const JUMP_IF_GREATER_OR_EQUAL: u16 = 0x35;
    const RETURN: u16 = 0x06;
    const X32: u32 = 0x4000_0000;
    const ERRNO: u32 = 0x0005_0000;
    let step = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    let mut whole = vec![
        step(LOAD_WORD, 0, 0, 0), // seccomp_data.nr
        step(JUMP_IF_GREATER_OR_EQUAL, 0, 1, X32),
        step(RETURN, 0, 0, ERRNO | libc::ENOSYS.cast_unsigned()),
    ];
    whole.extend(program);
    whole
}

/// An array of `struct sock_filter` as the kernel reads it.
fn bytes(program: &[sock_filter]) -> Vec<u8> {
    program
        .iter()
        .flat_map(|step| {
            let mut bytes = [0; 8];
            bytes[0..2].copy_from_slice(&step.code.to_ne_bytes());
            bytes[2] = step.jt;
            bytes[3] = step.jf;
            bytes[4..8].copy_from_slice(&step.k.to_ne_bytes());
            bytes
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::filters;

    #[test]
    fn the_filters_are_whole_instructions_and_below_the_kernels_limit() {
        let filters = filters().expect("filters");
        assert_eq!(filters.len(), 2);
        for filter in filters {
            assert_eq!(filter.len() % 8, 0);
            assert!(filter.len() / 8 < 4096, "{}", filter.len() / 8);
        }
    }
}
