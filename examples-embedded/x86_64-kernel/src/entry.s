# From what the PVH protocol hands over (32 bits, no paging, interrupts off) to Rust in long mode.
#
# The page tables map each byte to itself, in pages of 2 MiB: the first, with the null pointer, not at
# all; the second, code and constants, for reading and execution; six more for reading and writing.
# There is no interrupt table: a fault ends the machine.

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, 18              # lengths of name and value; XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .quad pvh_start

    .section .text.entry, "ax"
    .global pvh_start
    .code32
pvh_start:
    cli
    cld
    lea _stack_start, %esp

    lea pdpt + 3, %eax          # present, writable
    mov %eax, pml4
    lea directory + 3, %eax
    mov %eax, pdpt

    movl $0x200081, directory + 8       # present, 2 MiB, not writable
    mov $0x400083, %eax                 # present, 2 MiB, writable
    mov $2, %ecx
1:  mov %eax, directory(,%ecx,8)
    movl $0x80000000, directory + 4(,%ecx,8)    # not executable
    add $0x200000, %eax
    inc %ecx
    cmp $8, %ecx
    jb 1b

    lea pml4, %eax
    mov %eax, %cr3
    mov %cr4, %eax
    or $0x20, %eax              # PAE
    mov %eax, %cr4
    mov $0xc0000080, %ecx       # EFER
    rdmsr
    or $0x900, %eax             # long mode, no-execute
    wrmsr
    mov %cr0, %eax
    or $0x80010000, %eax        # paging, and write protection for the kernel too
    mov %eax, %cr0
    lgdt gdt_pointer
    ljmp $8, $long_mode

    .code64
long_mode:
    mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    lea _stack_start(%rip), %rsp
    xor %ebp, %ebp
    call kernel_main
2:  hlt
    jmp 2b

    .section .rodata.gdt, "a"
    .balign 8
gdt:
    .quad 0
    .quad 0x00af9b000000ffff    # code, 64 bits
    .quad 0x00cf93000000ffff    # data
gdt_pointer:
    .short . - gdt - 1
    .quad gdt

    .section .bss.tables, "aw", @nobits
    .balign 4096
pml4:      .skip 4096
pdpt:      .skip 4096
directory: .skip 4096
