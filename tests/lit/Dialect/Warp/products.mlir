// Products in flight, in every form that the passes write.
// RUN: lacuna-opt %s | lacuna-opt | FileCheck %s
// The tool prints no comments.
// CHECK-NOT: RUN{{:}}

!ring = !warp.ring<2, 64, 64, bf16>
!slot = !warp.slot<64, 64, bf16>
!view = !tile.view<[N, 64], bf16>
!flying = !warp.inflight<tensor<64x64xf32, #warp.acc>>
!acc = tensor<64x64xf32, #warp.acc>
!half = tensor<64x64xbf16, #warp.acc>
!fragment = tensor<64x64xbf16, #warp.afrag>

// Issue, commit, wait, use.
// CHECK-LABEL: warp.func @in_order(
warp.func @in_order(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      %w = warp.wgmma_wait %g, %d : !flying -> !acc
      %h = arith.truncf %w : !acc to !half
      %a = warp.pack_afrag %h : !half -> !fragment
      %o = warp.wgmma_rs %a, %s acc %w : !acc : !fragment, !slot -> !flying
      %g2 = warp.wgmma_commit
      %u = warp.wgmma_wait %g2, %o : !flying -> !acc
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// A product may go on where the one before it still writes; one wait is for both.
// CHECK-LABEL: warp.func @two_in_one_group(
warp.func @two_in_one_group(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %e = warp.wgmma_ss %s, %s acc %d : !flying : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      %w = warp.wgmma_wait %g, %e : !flying -> !acc
      %h = arith.truncf %w : !acc to !half
      %a = warp.pack_afrag %h : !half -> !fragment
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// Arithmetic may run beside a product, packing waits for it.
// CHECK-LABEL: warp.func @one_stays_in_flight(
warp.func @one_stays_in_flight(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %half = arith.constant dense<0.0> : !half
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      %zero = arith.constant dense<0.0> : !acc
      %a = warp.pack_afrag %half : !half -> !fragment
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      %o = warp.wgmma_rs %a, %s acc %zero : !acc : !fragment, !slot -> !flying
      %g2 = warp.wgmma_commit
      %w = warp.wgmma_wait %g, %d : !flying -> !acc
      %m = arith.addf %w, %w : !acc
      %u:2 = warp.wgmma_wait %g2, %o carry %m : !acc : !flying -> !acc, !acc
      %h = arith.truncf %u#1 : !acc to !half
      %a2 = warp.pack_afrag %h : !half -> !fragment
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// Groups end in the order of their commits: the wait for the second is one for the first.
// CHECK-LABEL: warp.func @later_wait_first(
warp.func @later_wait_first(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %half = arith.constant dense<0.0> : !half
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      %e = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g2 = warp.wgmma_commit
      %u = warp.wgmma_wait %g2, %e : !flying -> !acc
      %a = warp.pack_afrag %half : !half -> !fragment
      %w = warp.wgmma_wait %g, %d : !flying -> !acc
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// The steady loop of overlapped products: nothing is in flight from one trip to the next.
// CHECK-LABEL: warp.func @overlapped(
warp.func @overlapped(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      %w = warp.wgmma_wait %g, %d : !flying -> !acc
      %h = arith.truncf %w : !acc to !half
      %a = warp.pack_afrag %h : !half -> !fragment
      %o:2 = scf.for %i = %c1 to %n step %c1 iter_args(%acc = %w, %f = %a) -> (!acc, !fragment) : i32 {
        %k = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
        %gk = warp.wgmma_commit
        %v = warp.wgmma_rs %f, %s acc %acc : !acc : !fragment, !slot -> !flying
        %gv = warp.wgmma_commit
        %kw = warp.wgmma_wait %gk, %k : !flying -> !acc
        %e = math.exp2 %kw : !acc
        %vw:2 = warp.wgmma_wait %gv, %v carry %e : !acc : !flying -> !acc, !acc
        %h2 = arith.truncf %vw#1 : !acc to !half
        %a2 = warp.pack_afrag %h2 : !half -> !fragment
        scf.yield %vw#0, %a2 : !acc, !fragment
      }
      %l = warp.wgmma_rs %o#1, %s acc %o#0 : !acc : !fragment, !slot -> !flying
      %gl = warp.wgmma_commit
      %lw = warp.wgmma_wait %gl, %l : !flying -> !acc
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// A region runs beside what is in flight around it.
// CHECK-LABEL: warp.func @beside_a_condition(
warp.func @beside_a_condition(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %half = arith.constant dense<0.0> : !half
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      scf.if %p {
        %one = arith.constant dense<1.0> : !acc
        %two = arith.addf %one, %one : !acc
      }
      %w = warp.wgmma_wait %g, %d : !flying -> !acc
      scf.if %p {
        %a = warp.pack_afrag %half : !half -> !fragment
      }
      warp.ring_release %s : !slot
    }
  }
  warp.return
}

// Either branch waits for a later group, and so for this one.
// CHECK-LABEL: warp.func @each_branch_waits(
warp.func @each_branch_waits(%x: !view, %p: i1, %n: i32) attributes {dims = ["N"], grid = ["1"]} {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %r = warp.ring_create "k" : !ring
  warp.roles {
    warp.role producer warpgroups 1 registers 24 {
      %e = warp.ring_acquire %r[%c0] : !ring -> !slot
      warp.ring_fill %e bytes 8192 : !slot {
        warp.tma_load %x[%c0, %c0] axis 0 size 64 by 64 at 0, 0 : !view
      }
    }
    warp.role consumer warpgroups 1 registers 232 {
      %half = arith.constant dense<0.0> : !half
      %s = warp.ring_wait %r[%c0] : !ring -> !slot
      %d = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
      %g = warp.wgmma_commit
      scf.if %p {
        %e = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
        %g2 = warp.wgmma_commit
        %u = warp.wgmma_wait %g2, %e : !flying -> !acc
      } else {
        %e = warp.wgmma_ss %s, %s : !slot, !slot -> !flying
        %g2 = warp.wgmma_commit
        %u = warp.wgmma_wait %g2, %e : !flying -> !acc
      }
      %a = warp.pack_afrag %half : !half -> !fragment
      %w = warp.wgmma_wait %g, %d : !flying -> !acc
      warp.ring_release %s : !slot
    }
  }
  warp.return
}
