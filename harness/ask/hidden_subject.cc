/* SPDX-License-Identifier: MIT
 *
 * The half of the experiment in hidden.c whose function knows the class `amp_asked`; as abi_subject.c, it stands behind
 * a header of the user's. Neither constructor nor destructor is called here: that is the caller's to do. */
extern "C" __attribute__((__section__(".text.amp_abi"), __used__, __visibility__("default")))
const volatile void *amp_abi_address(amp_asked amp_object)
{
    const volatile void *amp_at = &reinterpret_cast<const volatile char &>(amp_object);

    __asm__("" : "+r"(amp_at));
    return amp_at;
}
