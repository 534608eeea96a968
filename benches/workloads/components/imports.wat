;; Calls what the host provides, `n` times: a function of numbers, and one that takes a string.
(component
  (import "step" (func $step (param "x" u32) (result u32)))
  (import "size" (func $size (param "text" string) (result u32)))
  (core module $memory
    (memory (export "memory") 1)
    (data (i32.const 64) "sixteen letters."))
  (core instance $memory (instantiate $memory))
  (alias core export $memory "memory" (core memory $mem))
  (core func $step (canon lower (func $step)))
  (core func $size (canon lower (func $size) (memory (core memory $mem))))
  (core module $m
    (import "host" "step" (func $step (param i32) (result i32)))
    (import "host" "size" (func $size (param i32 i32) (result i32)))
    (func (export "steps") (param $n i32) (result i32)
      (local $x i32)
      (loop $again
        (local.set $x (call $step (local.get $x)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_if $again (local.get $n)))
      (local.get $x))
    (func (export "sizes") (param $n i32) (result i32)
      (local $x i32)
      (loop $again
        (local.set $x
          (i32.add (local.get $x) (call $size (i32.const 64) (i32.const 16))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_if $again (local.get $n)))
      (local.get $x)))
  (core instance $i (instantiate $m
    (with "host" (instance
      (export "step" (func $step))
      (export "size" (func $size))))))
  (func (export "steps") (param "n" u32) (result u32) (canon lift (core func $i "steps")))
  (func (export "sizes") (param "n" u32) (result u32) (canon lift (core func $i "sizes"))))
