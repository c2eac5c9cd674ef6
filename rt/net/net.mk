# The network, in build/VARIANT/libnet.a: rt/net and rt/http, Debian's lwIP
# (TCP/IP) and Debian's llhttp (the syntax of HTTP), all compiled with the
# variant's flags and -fsplit-stack, since they run on task stacks.  An archive,
# so that programs without a network have none of it in them.
# rt/net/lwip/lwipopts.h says what lwIP is built of.

LWIP := $(B)/src/lwip
LLHTTP := $(B)/src/node-llhttp

lwip_src := $(patsubst %,core/%.c,def dns inet_chksum init ip mem memp netif pbuf raw stats tcp tcp_in \
	tcp_out udp ipv4/dhcp ipv4/etharp ipv4/icmp ipv4/igmp ipv4/ip4 ipv4/ip4_addr ipv4/ip4_frag \
	ipv6/ethip6 ipv6/icmp6 ipv6/inet6 ipv6/ip6 ipv6/ip6_addr ipv6/ip6_frag ipv6/mld6 ipv6/nd6) \
	netif/ethernet.c
# Run seldom: small before fast.
lwip_cold := $(addprefix core/,def dns init netif raw tcp udp ipv4/dhcp ipv4/icmp ipv4/igmp ipv4/ip4_frag ipv6/ethip6 ipv6/icmp6 ipv6/ip6 \
	ipv6/ip6_addr ipv6/ip6_frag ipv6/mld6 ipv6/nd6)
llhttp_src := llhttp.c api.c http.c
NET_INC := -Irt/net/lwip -isystem $(LWIP)/src/include -isystem $(LLHTTP)/include/llhttp
NET_READY := $(LWIP)/src/Filelists.mk $(LLHTTP)/include/llhttp/llhttp.h

$(LWIP)/src/Filelists.mk:
	@kernel/fetch.sh source $(B)/src lwip src/Filelists.mk TCP/IP
$(LLHTTP)/include/llhttp/llhttp.h:
	@kernel/fetch.sh files $(B)/src node-llhttp include/llhttp/llhttp.h HTTP
$(addprefix $(LWIP)/src/,$(lwip_src)): | $(LWIP)/src/Filelists.mk ;
$(addprefix $(LLHTTP)/llhttp/,$(llhttp_src)): | $(LLHTTP)/include/llhttp/llhttp.h ;

# $(1) variant.  The libraries' warnings are their own business.
define net
$(B)/$(1)/lwip/%.o: $(LWIP)/src/%.c $(wildcard rt/net/lwip/*.h rt/net/lwip/arch/*.h) rt/net/net.mk $(B)/$(1)/flags | $(NEED_$(1))
	@mkdir -p $$(@D)
	$(QUIET)$$(CC) $$(COMMON) $$(if $$(filter $(lwip_cold),$$*),-Os) -w $$(FLAGS_$(1)) $$(SYSINC_$(1)) $$(SPLIT) $$(NET_INC) -c -o $$@ $$<
$(B)/$(1)/llhttp/%.o: $(LLHTTP)/llhttp/%.c rt/net/net.mk $(B)/$(1)/flags | $(NEED_$(1))
	@mkdir -p $$(@D)
	$(QUIET)$$(CC) $$(COMMON) -w $$(FLAGS_$(1)) $$(SYSINC_$(1)) $$(SPLIT) $$(NET_INC) -c -o $$@ $$<
$(patsubst %.c,$(B)/$(1)/%.o,$(NET_SRCS)): FLAGS_$(1) += $$(NET_INC)
$(patsubst %.c,$(B)/$(1)/%.o,$(NET_SRCS)): | $(NET_READY)
$(B)/$(1)/libnet.a: $(patsubst %.c,$(B)/$(1)/%.o,$(NET_SRCS)) $(patsubst %.c,$(B)/$(1)/lwip/%.o,$(lwip_src)) \
		$(patsubst %.c,$(B)/$(1)/llhttp/%.o,$(llhttp_src))
	@rm -f $$@
	$(SAY) "  AR    $$@"; $(AR) qcs $$@ $$^
endef
$(foreach v,$(METAL_VARIANTS) $(HOST_VARIANTS),$(eval $(call net,$(v))))
