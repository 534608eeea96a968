;; Globals: two generators, counters of each width and a shadow stack pointer live in mutable globals, changed by a
;; loop and by two functions that it calls.
(module
  (memory 1)
  (global $n (mut i32) (i32.const 0))
  (global $random (mut i32) (i32.const 0))
  (global $state (mut i64) (i64.const 0))
  (global $mean (mut f64) (f64.const 0))
  (global $stack (mut i32) (i32.const 65536))
  (global $step i64 (i64.const 0x9e3779b97f4a7c15))
  (func $next (result i32)
    (global.set $random
      (i32.add (i32.mul (global.get $random) (i32.const 1664525)) (i32.const 1013904223)))
    (i32.shr_u (global.get $random) (i32.const 8)))
  ;; A frame in memory, as C has it.
  (func $mix (param $value i32)
    (global.set $stack (i32.sub (global.get $stack) (i32.const 16)))
    (i32.store (global.get $stack) (local.get $value))
    (global.set $state
      (i64.add (i64.xor (global.get $state) (global.get $step)) (i64.load32_u (global.get $stack))))
    (global.set $stack (i32.add (global.get $stack) (i32.const 16))))
  (func (export "run") (param $n i32) (result i64)
    (global.set $n (local.get $n))
    (global.set $random (i32.const 1))
    (global.set $state (i64.const 0))
    (global.set $mean (f64.const 0))
    (loop $again
      (call $mix (call $next))
      (global.set $mean
        (f64.mul
          (f64.add (global.get $mean) (f64.convert_i32_u (global.get $random)))
          (f64.const 0.5)))
      (global.set $n (i32.sub (global.get $n) (i32.const 1)))
      (br_if $again (global.get $n)))
    (i64.xor (i64.trunc_f64_s (global.get $mean)) (global.get $state))))
