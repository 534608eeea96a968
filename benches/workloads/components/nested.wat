;; Two components, one of which calls the other `n` times: with numbers, and with a string that comes
;; back.
(component
  (component $callee
    (core module $m
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 1024))
      (func (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (local $place i32)
        (local.set $place (global.get $heap))
        (global.set $heap (i32.add (local.get $place) (local.get $size)))
        (local.get $place))
      (func (export "free") (param i32)
        (global.set $heap (i32.const 1024)))
      (func (export "add") (param i32 i32) (result i32)
        (i32.add (local.get 0) (local.get 1)))
      (func (export "echo") (param $place i32) (param $length i32) (result i32)
        (i32.store (i32.const 16) (local.get $place))
        (i32.store (i32.const 20) (local.get $length))
        (i32.const 16)))
    (core instance $i (instantiate $m))
    (func (export "add") (param "a" u32) (param "b" u32) (result u32)
      (canon lift (core func $i "add")))
    (func (export "text") (param "text" string) (result string)
      (canon lift (core func $i "echo")
        (memory (core memory $i "memory")) (realloc (core func $i "realloc")) (post-return (core func $i "free")))))

  (component $caller
    (import "add" (func $add (param "a" u32) (param "b" u32) (result u32)))
    (import "text" (func $text (param "text" string) (result string)))
    (core module $memory
      (memory (export "memory") 1)
      (data (i32.const 64) "sixteen letters.")
      ;; Every result may have the place of the one before.
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (i32.const 1024)))
    (core instance $memory (instantiate $memory))
    (core func $add (canon lower (func $add)))
    (core func $text (canon lower (func $text)
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
    (core module $m
      (import "callee" "add" (func $add (param i32 i32) (result i32)))
      (import "callee" "text" (func $text (param i32 i32 i32)))
      (import "memory" "memory" (memory 1))
      (func (export "adds") (param $n i32) (result i32)
        (local $x i32)
        (loop $again
          (local.set $x (call $add (local.get $x) (local.get $n)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br_if $again (local.get $n)))
        (local.get $x))
      (func (export "texts") (param $n i32) (result i32)
        (local $x i32)
        (loop $again
          (call $text (i32.const 64) (i32.const 16) (i32.const 16))
          ;; The length of what came back, and its first letter.
          (local.set $x
            (i32.add (local.get $x)
              (i32.add
                (i32.load (i32.const 20))
                (i32.load8_u (i32.load (i32.const 16))))))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br_if $again (local.get $n)))
        (local.get $x)))
    (core instance $i (instantiate $m
      (with "callee" (instance
        (export "add" (func $add))
        (export "text" (func $text))))
      (with "memory" (instance $memory))))
    (func (export "adds") (param "n" u32) (result u32) (canon lift (core func $i "adds")))
    (func (export "texts") (param "n" u32) (result u32) (canon lift (core func $i "texts"))))

  (instance $callee (instantiate $callee))
  (instance $caller (instantiate $caller
    (with "add" (func $callee "add"))
    (with "text" (func $callee "text"))))
  (export "adds" (func $caller "adds"))
  (export "texts" (func $caller "texts")))
