/* SPDX-License-Identifier: MIT
 *
 * The half of the experiment in abi.c whose functions know the type `amp_asked`. It stands behind what declares that
 * type: behind a header of the user's, of which nothing else is linked. So it has no macro, uses no constant and no
 * name of anybody's, and its functions lie in a section of their own. */
__attribute__((__section__(".text.amp_abi"), __used__, __visibility__("default")))
void amp_abi_pass(void (*amp_take)(void), const void *amp_from, unsigned long long amp_integer, double amp_vector);

void amp_abi_pass(void (*amp_take)(void), const void *amp_from, unsigned long long amp_integer, double amp_vector)
{
    ((void (*)(amp_asked, unsigned long long, double)) amp_take)(*(const amp_asked *) amp_from, amp_integer,
                                                                 amp_vector);
}

__attribute__((__section__(".text.amp_abi"), __used__, __visibility__("default")))
amp_asked amp_abi_give(const amp_asked *amp_from);

amp_asked amp_abi_give(const amp_asked *amp_from)
{
    return *amp_from;
}
