"""A Windows job object that holds a child process and all that it starts, and takes them along when it closes.

The counterpart of a POSIX process group. Windows has no SIGTERM: a process without a console of its own cannot be
asked, so there is only closing its stdin and this. What the child starts in the moment before it is put into the job
stays outside. Only ctypes sits below.
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes
    from typing import Final

    _KILL_ON_JOB_CLOSE: Final = 0x2000
    _BASIC_ACCOUNTING: Final = 1
    _EXTENDED_LIMIT: Final = 9
    _SET_QUOTA_AND_TERMINATE: Final = 0x0100 | 0x0001

    class _BasicLimits(ctypes.Structure):
        _fields_ = (
            ("PerProcessUserTimeLimit", wintypes.LARGE_INTEGER),
            ("PerJobUserTimeLimit", wintypes.LARGE_INTEGER),
            ("LimitFlags", wintypes.DWORD),
            ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t),
            ("ActiveProcessLimit", wintypes.DWORD),
            ("Affinity", ctypes.c_size_t),
            ("PriorityClass", wintypes.DWORD),
            ("SchedulingClass", wintypes.DWORD),
        )

    class _IoCounters(ctypes.Structure):
        _fields_ = tuple((name, ctypes.c_ulonglong) for name in ("r", "w", "o", "rb", "wb", "ob"))

    class _ExtendedLimits(ctypes.Structure):
        _fields_ = (
            ("BasicLimitInformation", _BasicLimits),
            ("IoInfo", _IoCounters),
            ("ProcessMemoryLimit", ctypes.c_size_t),
            ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t),
            ("PeakJobMemoryUsed", ctypes.c_size_t),
        )

    class _Accounting(ctypes.Structure):
        _fields_ = (
            ("TotalUserTime", wintypes.LARGE_INTEGER),
            ("TotalKernelTime", wintypes.LARGE_INTEGER),
            ("ThisPeriodTotalUserTime", wintypes.LARGE_INTEGER),
            ("ThisPeriodTotalKernelTime", wintypes.LARGE_INTEGER),
            ("TotalPageFaultCount", wintypes.DWORD),
            ("TotalProcesses", wintypes.DWORD),
            ("ActiveProcesses", wintypes.DWORD),
            ("TotalTerminatedProcesses", wintypes.DWORD),
        )

    def _kernel32() -> ctypes.WinDLL:
        """The functions used here, with the types that 64-bit handles need."""
        library = ctypes.WinDLL("kernel32", use_last_error=True)
        handle, flag, number, address = wintypes.HANDLE, wintypes.BOOL, wintypes.DWORD, ctypes.c_void_p
        for name, result, arguments in (
            ("CreateJobObjectW", handle, (address, wintypes.LPCWSTR)),
            ("SetInformationJobObject", flag, (handle, ctypes.c_int, address, number)),
            ("QueryInformationJobObject", flag, (handle, ctypes.c_int, address, number, address)),
            ("OpenProcess", handle, (number, flag, number)),
            ("AssignProcessToJobObject", flag, (handle, handle)),
            ("TerminateJobObject", flag, (handle, wintypes.UINT)),
            ("CloseHandle", flag, (handle,)),
        ):
            function = getattr(library, name)
            function.restype = result
            function.argtypes = arguments
        return library

    class WindowsJob:
        """Holds the process `pid` and its descendants. Raises `OSError` if Windows refuses."""

        def __init__(self, pid: int) -> None:
            self._kernel = _kernel32()
            self._job: int | None = self._kernel.CreateJobObjectW(None, None)
            if not self._job:
                raise ctypes.WinError(ctypes.get_last_error())
            try:
                self._end_with_the_job()
                self._take_in(pid)
            except OSError:
                self.close()
                raise

        def is_empty(self) -> bool:
            """Whether none of the processes is left."""
            if self._job is None:
                return True
            facts = _Accounting()
            size = ctypes.sizeof(facts)
            known = self._kernel.QueryInformationJobObject(
                self._job, _BASIC_ACCOUNTING, ctypes.byref(facts), size, None
            )
            return bool(known) and not facts.ActiveProcesses

        def ask_to_end(self) -> bool:
            """Return `False`: there is no way to ask."""
            return False

        def kill(self) -> None:
            """End every process of the job at once."""
            if self._job is not None:
                self._kernel.TerminateJobObject(self._job, 1)

        def close(self) -> None:
            """Give the job back, which ends what is left in it."""
            if self._job is not None:
                self._kernel.CloseHandle(self._job)
                self._job = None

        def _end_with_the_job(self) -> None:
            limits = _ExtendedLimits()
            limits.BasicLimitInformation.LimitFlags = _KILL_ON_JOB_CLOSE
            size = ctypes.sizeof(limits)
            if not self._kernel.SetInformationJobObject(self._job, _EXTENDED_LIMIT, ctypes.byref(limits), size):
                raise ctypes.WinError(ctypes.get_last_error())

        def _take_in(self, pid: int) -> None:
            process = self._kernel.OpenProcess(_SET_QUOTA_AND_TERMINATE, False, pid)
            if not process:
                raise ctypes.WinError(ctypes.get_last_error())
            try:
                if not self._kernel.AssignProcessToJobObject(self._job, process):
                    raise ctypes.WinError(ctypes.get_last_error())
            finally:
                self._kernel.CloseHandle(process)
